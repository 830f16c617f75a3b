from __future__ import annotations

import pytest

from samantic.segsam import SegSamConfig


def test_a_configuration_is_the_same_after_a_trip_through_json():
    config = SegSamConfig(("liver", "spleen"), so_token=False, co_tokens=False, text_to_vision=False, text_dim=7)
    assert SegSamConfig.from_json(config.to_json()) == config
    looking = SegSamConfig(("liver",), look_size=96, look_width=8)
    assert SegSamConfig.from_json(looking.to_json()) == looking


def test_a_network_without_classes_is_refused():
    with pytest.raises(ValueError, match="at least one class name"):
        SegSamConfig(())


def test_two_classes_of_one_name_are_refused():
    with pytest.raises(ValueError, match="must differ"):
        SegSamConfig(("liver", "spleen", "liver"))


@pytest.mark.parametrize("part", ["co_tokens", "text_to_vision"])
def test_parts_of_the_semantic_path_are_refused_without_it(part: str):
    parts = {"co_tokens": False, "text_to_vision": False, part: True}
    with pytest.raises(ValueError, match="switch so_token on"):
        SegSamConfig(("liver",), so_token=False, **parts)


@pytest.mark.parametrize("size", [0, -64, 32, 100])
def test_a_look_that_the_look_network_cannot_halve_is_refused(size: int):
    with pytest.raises(ValueError, match=f"look_size must be a multiple of 32 from 64 on, not {size}"):
        SegSamConfig(("liver",), look_size=size)


def test_a_look_network_without_channels_is_refused():
    with pytest.raises(ValueError, match="look_width must be at least 1, not 0"):
        SegSamConfig(("liver",), look_size=64, look_width=0)
