from __future__ import annotations

import numpy as np
import pytest
import torch

from samantic.evaluation.borders import BorderDistances
from samantic.evaluation.mask_scores import mask_scores

EMPTY = np.zeros((40, 60), dtype=bool)


def square(top: int, left: int, side: int = 10) -> np.ndarray:
    mask = EMPTY.copy()
    mask[top : top + side, left : left + side] = True
    return mask


def test_equal_masks_have_one_border():
    distances = BorderDistances.between(square(5, 5), square(5, 5))
    assert distances.hausdorff95() == 0
    assert distances.normalised_surface_dice(0) == 1
    assert distances.boundary_f(0) == 1


@pytest.mark.parametrize("columns", [1, 3, 4])
def test_a_square_that_is_moved_is_that_far_away_in_millimetres(columns: int):
    """Of 36 border pixels the one side's 10 lie `columns` away: more than 5 %, so they are the percentile."""
    distances = BorderDistances.between(square(5, 5 + columns), square(5, 5), spacing_yx=(3.0, 0.5))
    assert distances.hausdorff95() == pytest.approx(0.5 * columns)
    assert distances.normalised_surface_dice(0.5 * columns) == 1


def test_spacing_along_the_other_axis_counts_too():
    distances = BorderDistances.between(square(7, 5), square(5, 5), spacing_yx=(3.0, 0.5))
    assert distances.hausdorff95() == pytest.approx(6.0)


def test_a_tolerance_that_is_too_small_leaves_what_still_lies_on_the_other_border():
    """Moved by one column: 18 of 36 border pixels stay on upper and lower edge's common part."""
    distances = BorderDistances.between(square(5, 6), square(5, 5))
    # Upper and lower edges share 9 columns each; the left and right edges meet nothing.
    assert distances.normalised_surface_dice(0.5) == pytest.approx(18 / 36)
    assert distances.boundary_f(0.5) == pytest.approx(0.5)


def test_the_boundary_f_falls_with_precision_alone():
    """A second, far square: the recall is full, the precision half."""
    distances = BorderDistances.between(square(5, 5) | square(25, 40), square(5, 5))
    assert distances.boundary_f(1) == pytest.approx(2 * 0.5 / 1.5)


def test_two_empty_masks_agree():
    distances = BorderDistances.between(EMPTY, EMPTY)
    assert (distances.hausdorff95(), distances.normalised_surface_dice(1), distances.boundary_f(1)) == (0, 1, 1)


@pytest.mark.parametrize("predicted_is_empty", [True, False])
def test_one_empty_mask_is_as_wrong_as_can_be(predicted_is_empty: bool):
    masks = (EMPTY, square(5, 5)) if predicted_is_empty else (square(5, 5), EMPTY)
    distances = BorderDistances.between(*masks, spacing_yx=(2.0, 1.0))
    assert distances.hausdorff95() == pytest.approx(np.hypot(80, 60))
    assert distances.normalised_surface_dice(1000) == 0
    assert distances.boundary_f(1000) == 0


def test_masks_of_different_shapes_are_refused():
    with pytest.raises(ValueError, match=r"\(40, 60\) and \(40, 59\)"):
        BorderDistances.between(EMPTY, EMPTY[:, 1:])


def test_the_figures_are_those_of_monai():
    from monai.metrics import compute_hausdorff_distance, compute_surface_dice

    random, spacing = np.random.default_rng(3), (1.7, 0.6)
    rows, columns = np.mgrid[:40, :60]
    for _ in range(10):
        # One of the blobs reaches the picture's edge now and then.
        masks = [np.hypot(rows - random.uniform(5, 35), columns - random.uniform(5, 55)) < 12 for _ in range(2)]
        tensors = [torch.from_numpy(mask)[None, None].float() for mask in masks]
        distances = BorderDistances.between(masks[0], masks[1], spacing)
        expected = compute_hausdorff_distance(*tensors, include_background=True, percentile=95, spacing=spacing)
        assert distances.hausdorff95() == pytest.approx(float(expected), rel=1e-5)
        share = compute_surface_dice(*tensors, class_thresholds=[2.0], include_background=True, spacing=spacing)
        assert distances.normalised_surface_dice(2.0) == pytest.approx(float(share), rel=1e-5)


def test_the_boundary_f_is_in_pixels_whatever_their_size():
    scores = mask_scores(square(5, 6), square(5, 5), spacing_yx=(4.0, 4.0), tolerance=2.0)
    assert scores.boundary_f == 1
    assert scores.surface_dice == pytest.approx(0.5)
    assert scores.hausdorff95 == pytest.approx(4.0)
    assert scores.dice == pytest.approx(0.9)
