from __future__ import annotations

import pytest

from samantic.segsam import SegSamConfig


def test_a_configuration_is_the_same_after_a_trip_through_json():
    config = SegSamConfig(("liver", "spleen"), so_token=False, co_tokens=False, text_to_vision=False, text_dim=7)
    assert SegSamConfig.from_json(config.to_json()) == config


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
