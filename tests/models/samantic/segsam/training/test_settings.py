from __future__ import annotations

from pathlib import Path

import pytest

from samantic.datasets.development_sets import TRAINING_SETS
from samantic.segsam.training.settings import PACKAGED, SegSamSettings
from samantic.training import FitOptions, SettingsError


@pytest.mark.parametrize("path", sorted(PACKAGED.parent.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_packaged_file_is_read_and_names_sets_that_there_are(path: Path):
    settings = SegSamSettings.from_yaml(path)
    assert settings.shares.keys() <= TRAINING_SETS.keys()
    assert sum(settings.shares.values()) == pytest.approx(1)
    assert settings.config(("liver", "spleen")).class_names == ("liver", "spleen")


def test_the_packaged_file_is_the_default():
    assert SegSamSettings.from_yaml() == SegSamSettings.from_yaml(PACKAGED)
    assert SegSamSettings.from_yaml().config(("liver",)).encoder == "tiny"


def test_options_of_the_command_line_go_before_those_of_the_file():
    settings = SegSamSettings({"ct": 1.0}, fit=FitOptions(steps=7, seed=3))
    assert settings.replacing(steps=9, seed=None).fit == FitOptions(steps=9, seed=3)
    with pytest.raises(SettingsError, match="steps must be at least 1, not 0"):
        settings.replacing(steps=0)


@pytest.mark.parametrize(
    ("network", "said"),
    [
        ({"image_sice": 128}, r"'network\.image_sice' is no setting"),
        ({"image_size": "big"}, r"'network\.image_size' must be a whole number, not 'big'"),
        ({"class_names": ["liver"]}, "a network learns the classes that its data show"),
        ({"so_token": False}, "switch so_token on"),
    ],
)
def test_a_network_that_cannot_be_is_refused(network, said):
    with pytest.raises(SettingsError, match=said):
        SegSamSettings({"ct": 1.0}, network=network)


def test_initial_weights_that_are_not_there_are_refused_before_any_data_are_read(tmp_path: Path):
    with pytest.raises(SettingsError, match=r"There is no file .*none\.safetensors with initial weights"):
        SegSamSettings({"ct": 1.0}, initial_weights=tmp_path / "none.safetensors")
    with pytest.raises(SettingsError, match="objects_per_image must be at least 1, not 0"):
        SegSamSettings({"ct": 1.0}, objects_per_image=0)
