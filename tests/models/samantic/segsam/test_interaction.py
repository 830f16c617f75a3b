from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from samantic.segsam.interaction import (
    box_clicks,
    component_at,
    corrective_click,
    deepest_click,
    interior_click,
    jittered_box,
)
from samantic.segsam.prompt_batch import BACKGROUND, BOX_LOWER_RIGHT, BOX_UPPER_LEFT, FOREGROUND


@pytest.fixture
def mask() -> np.ndarray:
    """10 rows from 15, 30 columns from 5, in 50 rows and 60 columns."""
    mask = np.zeros((50, 60), dtype=bool)
    mask[15:25, 5:35] = True
    return mask


def test_a_box_without_jitter_frames_the_mask_half_open(mask):
    assert jittered_box(mask, 0.0, np.random.default_rng(0)) == (5, 15, 35, 25)


def test_no_side_of_a_jittered_box_moves_by_more_than_its_share(mask):
    boxes = np.array([jittered_box(mask, 0.1, np.random.default_rng(seed)) for seed in range(300)])
    moves = boxes - (5, 15, 35, 25)
    assert (np.abs(moves) <= (3, 1, 3, 1)).all()
    for side, most in enumerate((3, 1, 3, 1)):
        assert moves[:, side].min() < -0.8 * most and moves[:, side].max() > 0.8 * most


def test_a_jittered_box_stays_in_the_picture_and_is_never_empty():
    for rows, columns in (
        (slice(0, 50), slice(0, 60)),
        (slice(0, 1), slice(0, 1)),
        (slice(49, 50), slice(59, 60)),
        (slice(7, 8), slice(0, 60)),
    ):
        mask = np.zeros((50, 60), dtype=bool)
        mask[rows, columns] = True
        for seed in range(50):
            x0, y0, x1, y1 = jittered_box(mask, 0.1, np.random.default_rng(seed))
            assert 0 <= x0 < x1 <= 60 and 0 <= y0 < y1 <= 50


def test_the_corners_of_a_box_are_edges_half_a_pixel_before_the_centres_they_name():
    assert box_clicks((5, 15, 35, 25)) == [(4.5, 14.5, BOX_UPPER_LEFT), (34.5, 24.5, BOX_LOWER_RIGHT)]


def test_interior_clicks_lie_inside_and_rather_in_the_middle(mask):
    clicks = np.array([interior_click(mask, np.random.default_rng(seed)) for seed in range(200)])
    x, y = clicks[:, :2].astype(int).T
    assert mask[y, x].all()
    assert (clicks[:, 2] == FOREGROUND).all()
    on_border = (y == 15) | (y == 24) | (x == 5) | (x == 34)
    assert on_border.mean() < 0.76 * (2 * 30 + 2 * 8) / 300
    assert len({tuple(click) for click in clicks}) > 50


def test_an_object_that_fills_the_picture_is_clicked_in_its_middle():
    x, y, _ = deepest_click(np.ones((9, 9), dtype=bool))
    assert (x, y) == (4, 4)


def test_the_deepest_click_is_farthest_from_the_border(mask):
    x, y, label = deepest_click(mask)
    assert label == FOREGROUND
    depth = ndimage.distance_transform_edt(mask)
    assert depth[int(y), int(x)] == depth.max()


@pytest.mark.parametrize("seed", [None, *range(20)])
def test_a_corrective_click_lies_in_the_largest_error_with_the_right_sign(seed: int | None, mask):
    def random() -> np.random.Generator | None:
        return None if seed is None else np.random.default_rng(seed)

    too_little = mask.copy()
    too_little[:, 20:] = False
    x, y, label = corrective_click(mask, too_little, random())
    assert label == FOREGROUND
    assert mask[int(y), int(x)] and not too_little[int(y), int(x)]

    too_much = mask.copy()
    too_much[30:45, 40:55] = True
    too_much[16, 6] = False
    x, y, label = corrective_click(mask, too_much, random())
    assert label == BACKGROUND
    assert too_much[int(y), int(x)] and not mask[int(y), int(x)]


@pytest.mark.parametrize("seed", range(20))
def test_where_missing_and_superfluous_touch_the_sign_is_that_of_the_place_clicked(seed: int, mask):
    shifted = np.roll(mask, 6, axis=0)
    x, y, label = corrective_click(mask, shifted, np.random.default_rng(seed))
    assert mask[int(y), int(x)] != shifted[int(y), int(x)]
    assert label == (FOREGROUND if mask[int(y), int(x)] else BACKGROUND)


def test_a_perfect_answer_needs_no_click(mask):
    assert corrective_click(mask, mask.copy(), np.random.default_rng(0)) is None


def test_a_careful_annotator_clicks_the_same_place_again(mask):
    empty = np.zeros_like(mask)
    assert corrective_click(mask, empty, None) == corrective_click(mask, empty, None) == deepest_click(mask)


def test_a_click_means_the_connected_part_under_it(mask):
    two = mask.copy()
    two[40:45, 40:50] = True
    assert np.array_equal(component_at(two, (10.0, 20.0, FOREGROUND)), mask)
    assert np.array_equal(component_at(two, (41.0, 44.0, FOREGROUND)), two & ~mask)
