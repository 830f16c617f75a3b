from __future__ import annotations

from pathlib import Path

import pytest

from samantic.datasets.development_sets import TRAINING_SETS, WHOLE_TRAINING_SETS
from samantic.segsam.training.settings import PACKAGED, PACKAGED_LOOK, LookSettings, PromptFreeSettings, SegSamSettings
from samantic.training import FitOptions, SettingsError

LOOKS = sorted(PACKAGED.parent.glob("*-look*.yaml"))
HEADS = sorted(PACKAGED.parent.glob("*-prompt-free*.yaml"))
NETWORKS = sorted(set(PACKAGED.parent.glob("*.yaml")) - set(LOOKS) - set(HEADS))


@pytest.mark.parametrize("path", NETWORKS, ids=lambda path: path.stem)
def test_every_packaged_file_is_read_and_names_sets_that_there_are(path: Path):
    settings = SegSamSettings.from_yaml(path)
    assert settings.shares.keys() <= TRAINING_SETS.keys()
    assert sum(settings.shares.values()) == pytest.approx(1)
    assert settings.config(("liver", "spleen")).class_names == ("liver", "spleen")


@pytest.mark.parametrize("path", LOOKS, ids=lambda path: path.stem)
def test_every_packaged_file_of_a_look_network_is_read_and_they_fit_one_another(path: Path):
    settings, first = LookSettings.from_yaml(path), LookSettings.from_yaml(PACKAGED_LOOK)
    assert settings.shares.keys() <= TRAINING_SETS.keys()
    assert sum(settings.shares.values()) == pytest.approx(1)
    assert (settings.look_size, settings.look_width) == (first.look_size, first.look_width)


@pytest.mark.parametrize("path", HEADS, ids=lambda path: path.stem)
def test_every_packaged_file_of_a_prompt_free_head_is_read(path: Path):
    settings = PromptFreeSettings.from_yaml(path)
    assert settings.shares.keys() <= WHOLE_TRAINING_SETS.keys()
    assert sum(settings.shares.values()) == pytest.approx(1)


def test_the_set_for_experiments_with_few_labels_of_the_hippocampus_holds_none_of_them():
    settings = SegSamSettings.from_yaml(PACKAGED.with_name("segsam-tiny-without-hippocampus.yaml"))
    assert "hippocampus" not in settings.shares


@pytest.mark.parametrize("weight", [-0.5, float("nan")])
def test_a_semantic_weight_below_0_is_refused(weight: float):
    with pytest.raises(SettingsError, match="semantic_weight must be at least 0"):
        SegSamSettings({"ct": 1.0}, semantic_weight=weight)


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
        ({"look_size": 128}, "`samantic train look` trains the look network"),
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


class TestLook:
    def test_the_packaged_file_is_read_and_names_sets_that_there_are(self):
        settings = LookSettings.from_yaml()
        assert settings == LookSettings.from_yaml(PACKAGED_LOOK)
        assert settings.shares.keys() <= TRAINING_SETS.keys()
        assert sum(settings.shares.values()) == pytest.approx(1)

    def test_options_of_the_command_line_go_before_those_of_the_file(self, tmp_path: Path):
        path = tmp_path / "look.yaml"
        path.write_text("look_size: 96\nlook_width: 8\nshares: {ct: 1}\nfit: {steps: 7, seed: 3}\n")
        settings = LookSettings.from_yaml(path).replacing(steps=9, seed=None, mixed_precision="no")
        assert (settings.look_size, settings.look_width, settings.shares) == (96, 8, {"ct": 1.0})
        assert settings.fit == FitOptions(steps=9, seed=3, mixed_precision="no")
        with pytest.raises(SettingsError, match="steps must be at least 1, not 0"):
            settings.replacing(steps=0)

    @pytest.mark.parametrize(
        ("look", "said"),
        [
            ({"look_size": 100}, "look_size must be a multiple of 32 from 64 on, not 100"),
            ({"look_size": 32}, "look_size must be a multiple of 32 from 64 on, not 32"),
            ({"look_width": 0}, "look_width must be at least 1, not 0"),
        ],
    )
    def test_a_network_that_cannot_be_is_refused(self, look, said):
        with pytest.raises(SettingsError, match=said):
            LookSettings({"ct": 1.0}, **look)

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ("look_sice: 128", "'look_sice' is no setting"),
            ("look_size: wide", "'look_size' must be a whole number, not 'wide'"),
            ("network: {encoder: tiny}", "'network' is no setting"),
        ],
    )
    def test_a_file_with_something_else_is_refused(self, line, said, tmp_path: Path):
        path = tmp_path / "look.yaml"
        path.write_text(f"{line}\nshares: {{ct: 1}}\n")
        with pytest.raises(SettingsError, match=said):
            LookSettings.from_yaml(path)
