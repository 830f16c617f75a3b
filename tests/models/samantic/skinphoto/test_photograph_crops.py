from __future__ import annotations

import numpy as np
import pytest

from samantic.skinphoto.classes import BACKGROUND, LESION
from samantic.skinphoto.crop_search import Crop, CropSearch
from samantic.skinphoto.photograph_crops import in_photograph, photograph_crops, searched_shape


def test_crops_of_a_large_photograph_lie_on_its_lesion_and_keep_the_rule(disc, painted, colour_segmenter):
    labels = disc((1200, 1600))
    crops = photograph_crops(colour_segmenter.segment(painted(labels)), labels.shape, CropSearch())
    assert crops
    for crop in crops:
        part = labels[crop.top : crop.top + crop.side, crop.left : crop.left + crop.side]
        assert part.shape == (crop.side, crop.side)
        assert (part != BACKGROUND).mean() == pytest.approx(crop.skin, abs=0.03)
        assert (part == LESION).mean() == pytest.approx(crop.lesion, abs=0.03)


@pytest.mark.parametrize("shape", [(1, 1), (3, 900), (31, 31), (2000, 20)])
def test_photographs_too_small_for_a_crop_give_none(shape: tuple[int, int], painted, colour_segmenter):
    lesion = np.full(shape, LESION, np.uint8)
    assert photograph_crops(colour_segmenter.segment(painted(lesion)), shape, CropSearch()) == ()


@pytest.mark.parametrize("shape", [(32, 32), (100, 3000), (777, 333)])
def test_crops_of_any_shape_lie_within_and_are_not_too_small(shape: tuple[int, int], painted, colour_segmenter):
    lesion = np.full(shape, LESION, np.uint8)
    crops = photograph_crops(colour_segmenter.segment(painted(lesion)), shape, CropSearch())
    assert crops
    for crop in crops:
        assert crop.side >= 30 and min(crop.left, crop.top) >= 0
        assert crop.left + crop.side <= shape[1] and crop.top + crop.side <= shape[0]


def test_a_crop_at_the_far_corner_stays_within_whatever_is_rounded():
    for rows, columns in ((4001, 3003), (321, 1000), (333, 320)):
        searched = searched_shape((rows, columns))
        side = min(searched)
        found = in_photograph(Crop(searched[1] - side, searched[0] - side, side, 1, 1), searched, (rows, columns))
        assert found.left + found.side <= columns and found.top + found.side <= rows
