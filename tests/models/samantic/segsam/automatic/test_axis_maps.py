from __future__ import annotations

import itertools

import nibabel
import numpy as np
import pytest
import torch

from samantic.imaging import SliceView
from samantic.segsam.automatic.axis_maps import AxisMaps, slice_weights
from samantic.segsam.input_transform import InputTransform

SHAPE = (9, 11, 7)
ORIENTATIONS = ["RAS", "LPS", "PIR", "SLA", "ILP"]


def affine_of(codes: str) -> np.ndarray:
    orientation = nibabel.orientations.axcodes2ornt(codes)
    affine = np.zeros((4, 4))
    affine[3, 3] = 1
    for axis, (ras_axis, sign) in enumerate(orientation):
        affine[int(ras_axis), axis] = sign
    return affine


def maps_of(values: np.ndarray, affine: np.ndarray, axis: int) -> AxisMaps:
    """A head that says, on a grid as fine as the slice, that class 1 has the logit that `values` holds."""
    view = SliceView(values.shape, affine, axis, 0)
    side = max(view.shape)
    transform = InputTransform(view.shape, (1.0, 1.0), side)

    def head(index: int) -> torch.Tensor:
        picture = torch.from_numpy(view.at(index).extract(values).copy())
        top, left = transform.offset_yx
        grid = torch.zeros(2, side, side)
        grid[1, top : top + picture.shape[0], left : left + picture.shape[1]] = picture
        return grid

    return AxisMaps(view, transform, head, smoothing_mm=0.0)


@pytest.mark.parametrize("codes", ORIENTATIONS)
def test_slices_seen_from_another_axis_show_the_same_voxels(codes: str) -> None:
    values = np.random.default_rng(0).normal(0, 2, SHAPE).astype(np.float32)
    affine = affine_of(codes)
    for along, across in itertools.permutations(range(3), 2):
        stack = maps_of(values, affine, along)
        for index in (0, SHAPE[across] - 2):
            view = SliceView(SHAPE, affine, across, index)
            expected = 1 / (1 + np.exp(-view.extract(values)))
            seen = stack.seen_from(view).probabilities(0, view.shape[0])[1]
            np.testing.assert_allclose(seen.numpy(), expected, atol=5e-3)


def test_neighbours_smooth_a_slice_away_that_alone_shows_something() -> None:
    def head(index: int) -> torch.Tensor:
        logits = torch.full((2, 4, 4), 0.0)
        logits[1] = 4.0 if index == 5 else -4.0
        return logits

    view = SliceView((4, 4, 11), np.eye(4), 2, 0)
    transform = InputTransform((4, 4), (1.0, 1.0), 4)
    alone = AxisMaps(view, transform, head, 0.0).own(5).probabilities(0, 4)[1]
    smooth = AxisMaps(view, transform, head, 1.5).own(5).probabilities(0, 4)[1]
    assert alone.min() > 0.9
    assert smooth.max() < 0.5


def test_a_slice_counts_less_the_farther_it_is() -> None:
    assert slice_weights(1.0, 0.0) == (1.0,)
    near, far = slice_weights(1.0, 1.0), slice_weights(5.0, 1.0)
    assert len(near) == 3
    assert near[0] > near[1] > near[2] > 0
    assert far == (1.0,)


def test_maps_that_no_slice_needs_any_more_are_forgotten_and_none_is_made_twice() -> None:
    made: list[int] = []

    def head(index: int) -> torch.Tensor:
        made.append(index)
        return torch.zeros(2, 4, 4)

    stack = AxisMaps(SliceView((4, 4, 20), np.eye(4), 2, 0), InputTransform((4, 4), (1.0, 1.0), 4), head, 1.0)
    for index in range(20):
        stack.own(index)
        stack.drop_before(index + 1)
        assert len(stack._maps) <= 5
    assert made == list(range(20))
