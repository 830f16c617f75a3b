from __future__ import annotations

import numpy as np
import pytest

from samantic.datasets.phantoms.chest_radiograph import SIDE, make_chest_radiograph


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return make_chest_radiograph(0)


def grey_around(picture: np.ndarray, x: float, y: float) -> float:
    """Mean grey value in a square of 5 % around a place given in shares of the sides."""
    row, column, half = round(y * SIDE), round(x * SIDE), SIDE // 40
    return float(picture[row - half : row + half, column - half : column + half, 0].mean())


def test_it_is_a_grey_picture(picture: np.ndarray):
    assert picture.shape == (SIDE, SIDE, 3)
    assert picture.dtype == np.uint8
    assert np.ptp(picture, axis=2).max() == 0
    assert picture.min() < 10
    assert picture.max() > 245


def test_lungs_are_darker_than_the_spine_and_the_heart_between_them(picture: np.ndarray):
    lungs = max(grey_around(picture, x, 0.42) for x in (0.3, 0.7))
    assert lungs < grey_around(picture, 0.5, 0.45) - 40
    assert lungs < grey_around(picture, 0.56, 0.62) - 40


def test_the_heart_lies_on_the_left_which_is_the_viewer_s_right(picture: np.ndarray):
    assert grey_around(picture, 0.6, 0.64) > grey_around(picture, 0.4, 0.64) + 20


def test_the_same_number_gives_the_same_chest_and_another_another(picture: np.ndarray):
    np.testing.assert_array_equal(make_chest_radiograph(0), picture)
    assert not np.array_equal(make_chest_radiograph(1), picture)
