from __future__ import annotations

import numpy as np
import pytest
import torch

from samantic.segsam import InputTransform
from samantic.segsam.second_look import SMALLEST_LOOK, Look, LookLogits, bounds_of, look_at


def test_a_look_is_square_in_millimetres_and_centred_on_its_bounds():
    look = look_at((40, 60, 60, 70), (2.0, 1.0))
    rows, columns = look.shape
    # The longer side is 20 mm both ways; 1.7 times that are 34 columns of 1 mm and 17 rows of 2 mm.
    assert (rows, columns) == (17, 34)
    assert (look.x0 + look.x1) / 2 == 50 and abs((look.y0 + look.y1) / 2 - 65) <= 0.5


def test_a_tiny_object_is_not_enlarged_without_end():
    assert look_at((50, 50, 52, 52), (1.0, 1.0)).shape == (SMALLEST_LOOK, SMALLEST_LOOK)


def test_a_look_at_a_large_object_reaches_beyond_the_picture():
    assert look_at((10, 10, 90, 90), (1.0, 1.0)) == Look(-18, -18, 118, 118)


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


class TestLookLogits:
    SHAPE = (100, 120)

    @pytest.fixture
    def found(self) -> LookLogits:
        """A look of 64 pixels in which the picture's columns 46 to 69 and rows 34 to 41 are found."""
        logits = torch.full((1, 32, 32), -6.0)
        logits[:, 12:16, 8:20] = 6.0
        return LookLogits(logits, Look(30, 10, 94, 74), InputTransform((64, 64), (1.0, 1.0), 64))

    def test_what_was_found_lies_in_its_place_and_outside_of_the_look_there_is_nothing(self, found):
        picture = found.in_picture(self.SHAPE)
        assert picture.shape == self.SHAPE and picture.dtype == np.float32
        assert bounds_of(picture > 0) == (46, 34, 70, 42)
        outside = np.ones(self.SHAPE, dtype=bool)
        outside[10:74, 30:94] = False
        assert (picture[outside] == -20).all() and (picture[~outside] > -7).all()

    def test_from_the_same_place_the_logits_are_the_same(self, found):
        assert found.seen_from(found.look, found.transform, 32, self.SHAPE) is found.logits

    def test_another_look_sees_it_elsewhere_and_in_its_own_scale(self, found):
        seen = found.seen_from(Look(38, 26, 70, 58), InputTransform((32, 32), (1.0, 1.0), 64), 32, self.SHAPE)
        # A cell is a pixel now, and what was found begins 8 columns and 8 rows into the look.
        assert seen.shape == (1, 32, 32)
        assert bounds_of((seen[0] > 0).numpy()) == (8, 8, 32, 16)

    def test_what_the_earlier_look_did_not_show_is_not_there(self, found):
        seen = found.seen_from(Look(-34, 10, 30, 74), InputTransform((64, 64), (1.0, 1.0), 64), 32, self.SHAPE)
        assert (seen == -20).all()

    def test_another_grid_over_the_same_look_is_resampled(self, found):
        seen = found.seen_from(found.look, InputTransform((64, 64), (1.0, 1.0), 128), 64, self.SHAPE)
        assert seen.shape == (1, 64, 64)
        assert bounds_of((seen[0] > 0).numpy()) == (16, 24, 40, 32)
