"""`samantic train breast`, but for the hours of training."""

from __future__ import annotations

from pathlib import Path

import pytest

from samantic.breast.training import bundled
from samantic.breast.training.settings import BreastSettings
from samantic.training import SettingsError, TrainingStopped


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, BreastSettings]]:
    """What the command would train."""
    calls: list[tuple[Path, BreastSettings]] = []
    monkeypatch.setattr(bundled, "train_breast", lambda *given: calls.append(given))
    return calls


def test_options_go_before_those_in_the_file(run, trained, tmp_path: Path):
    config = tmp_path / "run.yaml"
    config.write_text("network: {head: conv}\nloss: {mask_weight: 0}\nfit: {steps: 7, seed: 3}\n")
    code, output = run("train", "breast", tmp_path, "--config", config, "--steps", 9)
    assert code == 0 and "breast-ultrasound.safetensors" in output
    folder, settings = trained[0]
    assert folder == tmp_path and (settings.network.head, settings.loss.mask_weight) == ("conv", 0)
    assert (settings.fit.steps, settings.fit.seed) == (9, 3)


def test_without_a_file_the_packaged_one_holds(run, trained, tmp_path: Path):
    assert run("train", "breast", tmp_path)[0] == 0
    assert trained[0][1] == BreastSettings.from_yaml()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("network: {head: none}", "head must be unet or conv"),
        ("network: {dropout: 2}", "dropout must be"),
        ("loss: {wight: 2}", "'loss.wight' is no setting"),
        ("loss: {mask_weight: 0, class_weight: 0}", "cannot both be 0"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(run, trained, tmp_path: Path, text: str, said: str):
    (tmp_path / "run.yaml").write_text(text)
    code, output = run("train", "breast", tmp_path, "--config", tmp_path / "run.yaml")
    assert code == 2 and said in output
    assert not trained


def test_errors_of_the_run_are_sentences_and_a_stopped_run_has_the_code_of_its_signal(run, monkeypatch, tmp_path):
    def ends_with(error: Exception) -> tuple[int, str]:
        def train(*_: object) -> None:
            raise error

        monkeypatch.setattr(bundled, "train_breast", train)
        return run("train", "breast", tmp_path)

    code, output = ends_with(SettingsError("There are no such weights."))
    assert code == 2 and "There are no such weights." in output and "Traceback" not in output
    code, output = ends_with(TrainingStopped(3, 9, 15))
    assert code == 143 and "Stopped after step 3 of 9" in output


def test_without_the_public_sets_it_says_how_to_name_them(run, monkeypatch, tmp_path: Path):
    monkeypatch.delenv("SAMANTIC_DATA", raising=False)
    code, output = run("train", "breast", tmp_path / "run")
    assert code == 2 and "SAMANTIC_DATA must name the folder" in output
