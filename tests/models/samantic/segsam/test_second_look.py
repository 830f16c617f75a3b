from __future__ import annotations

import numpy as np
import pytest

from samantic.segsam.second_look import SMALLEST_LOOK, Look, bounds_of, look_at


def test_a_look_is_square_in_millimetres_and_centred_on_its_bounds():
    look = look_at((40, 60, 60, 70), (200, 200), (2.0, 1.0))
    assert look is not None
    rows, columns = look.shape
    # The longer side is 20 mm both ways; 1.7 times that are 34 columns of 1 mm and 17 rows of 2 mm.
    assert (rows, columns) == (17, 34)
    assert (look.x0 + look.x1) / 2 == 50 and abs((look.y0 + look.y1) / 2 - 65) <= 0.5


def test_a_tiny_object_is_not_enlarged_without_end():
    look = look_at((50, 50, 52, 52), (200, 200), (1.0, 1.0))
    assert look is not None
    assert look.shape == (SMALLEST_LOOK, SMALLEST_LOOK)


def test_a_look_that_would_show_the_whole_picture_again_is_not_worthwhile():
    assert look_at((10, 10, 90, 90), (100, 100), (1.0, 1.0)) is None


@pytest.mark.parametrize("look", [Look(-5, -3, 12, 9), Look(2, 4, 9, 20), Look(15, 0, 30, 8), Look(3, 3, 6, 6)])
def test_what_is_cut_out_is_pasted_back_to_its_place(look):
    picture = np.arange(10 * 20, dtype=np.float32).reshape(10, 20) + 1
    back = look.paste(look.cut(picture), picture.shape, outside=0)
    rows, columns = np.mgrid[:10, :20]
    inside = (columns >= look.x0) & (columns < look.x1) & (rows >= look.y0) & (rows < look.y1)
    assert np.array_equal(back, np.where(inside, picture, 0))


def test_beyond_the_picture_a_cut_is_filled():
    cut = Look(-2, -2, 2, 2).cut(np.ones((5, 5, 3), dtype=np.uint8), outside=7)
    assert cut.shape == (4, 4, 3)
    assert (cut[:2] == 7).all() and (cut[2:, 2:] == 1).all()


def test_bounds_are_half_open_and_an_empty_mask_has_none():
    mask = np.zeros((6, 8), dtype=bool)
    assert bounds_of(mask) is None
    mask[2:4, 3:7] = True
    assert bounds_of(mask) == (3, 2, 7, 4)


def test_a_look_holds_what_does_not_touch_its_border():
    look = Look(0, 0, 10, 10)
    assert look.holds((1, 1, 9, 9))
    assert not look.holds((0, 1, 9, 9)) and not look.holds((1, 1, 9, 10))
