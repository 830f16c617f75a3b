from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from samantic.training import FitOptions, SettingsError, read_settings, read_settings_file


@dataclass(frozen=True)
class _Whole:
    name: str
    shares: dict[str, float] = field(default_factory=dict)
    weights: Path | None = None
    sizes: tuple[int, ...] = ()
    fit: FitOptions = field(default_factory=FitOptions)


def _read(tmp_path: Path, text: str) -> _Whole:
    path = tmp_path / "run.yaml"
    path.write_text(text)
    return read_settings_file(_Whole, path)


def test_settings_are_read_with_the_settings_within_them(tmp_path: Path):
    text = (
        "name: a\nshares: {ct: 1, mr: 0.5}\nweights: w.safetensors\nsizes: [1, 2]\nfit: {steps: 7, learning_rate: 1e-4}"
    )
    assert _read(tmp_path, text) == _Whole(
        "a", {"ct": 1.0, "mr": 0.5}, Path("w.safetensors"), (1, 2), FitOptions(steps=7, learning_rate=1e-4)
    )
    assert _read(tmp_path, "name: a\nweights: null") == _Whole("a")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: a\nfit: {stepz: 3}", r"'fit.stepz' is no setting; there are steps, batch_size"),
        ("name: a\ncolour: red", "'colour' is no setting; there are name, shares"),
        ("shares: {}", "'name' is missing"),
        ("name: 3", "'name' must be a word, not 3"),
        ("name: a\nfit: {steps: 2.5}", "'fit.steps' must be a whole number, not 2.5"),
        ("name: a\nfit: {steps: true}", "'fit.steps' must be a whole number, not True"),
        ("name: a\nfit: {learning_rate: fast}", "'fit.learning_rate' must be a number, not 'fast'"),
        ("name: a\nfit: {steps: 0}", "steps must be at least 1, not 0"),
        ("name: a\nfit: {learning_rate: 0}", "learning_rate must be more than 0, not 0"),
        ("name: a\nfit: {learning_rate: .nan}", "learning_rate must be more than 0, not nan"),
        ("name: a\nfit: {warmup_share: 2}", "warmup_share must be at least 0 and at most 1, not 2"),
        ("name: a\nfit: {mixed_precision: fp8}", "mixed_precision must be one of no, bf16, fp16, not 'fp8'"),
        ("name: a\nfit: {mixed_precision: no}", "must be a word, not False"),
        ("name: a\nfit: 3", "fit must hold settings as 'name: value', not 3"),
        ("name: a\nshares: [1]", "'shares' must be settings as 'name: value'"),
        ("name: a\nshares: {ct: much}", "'shares.ct' must be a number, not 'much'"),
        ("- a list", "The file must hold settings"),
        ("name: [", "cannot be read as YAML"),
        ("", "'name' is missing"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_name_and_what_is_allowed(tmp_path: Path, text: str, said: str):
    with pytest.raises(SettingsError, match=said) as refusal:
        _read(tmp_path, text)
    assert "run.yaml" in str(refusal.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(SettingsError, match=r"There is no settings file .*none\.yaml"):
        read_settings_file(_Whole, tmp_path / "none.yaml")


def test_settings_of_a_mapping_need_no_file():
    assert read_settings(FitOptions, {"steps": 3}) == FitOptions(steps=3)
