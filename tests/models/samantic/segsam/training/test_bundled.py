from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from samantic.datasets.development_sets import TRAINING_SETS
from samantic.segsam.training.bundled import class_names_in, train, train_look
from samantic.segsam.training.settings import PACKAGED, LookSettings, SegSamSettings
from samantic.training import SettingsError


@pytest.mark.parametrize("part", ["segsam-tiny-half.yaml", "segsam-tiny.yaml"])
def test_every_training_set_has_its_share_and_the_shares_are_a_whole(part):
    settings = SegSamSettings.from_yaml(PACKAGED.with_name(part))
    assert settings.shares.keys() == TRAINING_SETS.keys()
    assert sum(settings.shares.values()) == pytest.approx(1)


def test_both_parts_of_the_training_make_the_same_network():
    first, second = (SegSamSettings.from_yaml(PACKAGED.with_name(f"segsam-tiny{part}.yaml")) for part in ("-half", ""))
    assert replace(first.config(("liver",)), image_size=None) == second.config(("liver",))


def test_the_network_learns_the_classes_that_are_shown_in_the_vocabularys_order(square_view, disc_view):
    # The set of the square labels the left kidney as well, but no picture shows one.
    assert square_view.class_names == ("liver", "kidney_left")
    names = class_names_in({"disc": [disc_view], "square": [square_view]})
    assert set(names) == {"liver", "skin_lesion"}
    assert names == class_names_in({"square": [square_view], "disc": [disc_view]})
    kidney = replace(square_view, labels=square_view.labels * 2)
    assert set(class_names_in({"square": [kidney]})) == {"kidney_left"}


def test_without_the_data_training_is_refused_naming_the_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.delenv("SAMANTIC_DATA", raising=False)
    with pytest.raises(FileNotFoundError, match="SAMANTIC_DATA"):
        train(tmp_path / "run", SegSamSettings.from_yaml().replacing(steps=1))
    assert not (tmp_path / "run").exists()
    weights = tmp_path / "segsam.safetensors"
    weights.touch()
    with pytest.raises(FileNotFoundError, match="SAMANTIC_DATA"):
        train_look(tmp_path / "run", weights, LookSettings.from_yaml())
    assert not (tmp_path / "run").exists()


def test_weights_that_are_not_there_are_refused_before_any_data_are_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.delenv("SAMANTIC_DATA", raising=False)
    with pytest.raises(SettingsError, match=r"There is no file .*none\.safetensors with SEG-SAM weights"):
        train_look(tmp_path / "run", tmp_path / "none.safetensors", LookSettings.from_yaml())
