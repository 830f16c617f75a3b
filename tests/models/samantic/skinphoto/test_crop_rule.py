from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from samantic.skinphoto.classes import BACKGROUND, LESION, SKIN
from samantic.skinphoto.crop_rule import CropRule


def labels_of(skin: int, lesion: int, area: int = 100) -> np.ndarray:
    """A label map of so many pixels; `skin` counts the lesion as well."""
    counts = [lesion, skin - lesion, area - skin]
    return np.repeat(np.array([LESION, SKIN, BACKGROUND], np.uint8), counts).reshape(-1, 10)


@pytest.mark.parametrize(
    ("skin", "lesion", "qualifies"),
    [
        (81, 11, True),
        (80, 11, False),
        (81, 10, False),
        (80, 10, False),
        (100, 100, True),
        (100, 10, False),
        (80, 80, False),
        (0, 0, False),
    ],
)
def test_exactly_80_and_10_percent_are_not_more_than_that(skin: int, lesion: int, qualifies: bool):
    assert CropRule().accepts(labels_of(skin, lesion)) is qualifies


def test_one_pixel_of_many_decides():
    area = 3000 * 3000
    skin, lesion = np.array([7_200_000, 7_200_001]), np.array([900_001, 900_001])
    assert CropRule().enough(skin, lesion, area).tolist() == [False, True]
    assert CropRule().enough(skin + 1, lesion - [1, 0], area).tolist() == [False, True]


@given(some.integers(1, 4000), some.data())
def test_counts_decide_as_exact_fractions_would(side: int, data: some.DataObject):
    skin = data.draw(some.integers(0, side * side))
    lesion = data.draw(some.integers(0, skin))
    rule = CropRule(data.draw(some.integers(0, 99)), data.draw(some.integers(0, 99)))
    area = side * side
    expected = Fraction(skin, area) > Fraction(rule.skin_percent, 100) and Fraction(lesion, area) > Fraction(
        rule.lesion_percent, 100
    )
    assert bool(rule.enough(np.int32(skin), np.int32(lesion), area)) is expected


@pytest.mark.parametrize("percent", [-1, 100, 80.5, "80"])
def test_percents_that_cannot_be_are_refused(percent):
    with pytest.raises(ValueError, match="must be a whole number from 0 to 99"):
        CropRule(skin_percent=percent)
