from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from samantic.imaging import SliceView
from samantic.prompts import Box, MaskPrompt, Point, PromptSet, Scribble
from samantic.segsam import ViewPrompts, objects_of

SHAPE = (7, 9, 11)
ORIENTATIONS = [
    np.diag([*signs, 1.0])[:, [*axes, 3]]
    for axes in itertools.permutations(range(3))
    for signs in itertools.product((-2.0, 2.0), repeat=3)
]
"""The 48 affines whose voxel axes run along the patient's axes, in any order and direction."""


@pytest.fixture(params=[0, 1, 2], ids=["axis 0", "axis 1", "axis 2"])
def axis(request) -> int:
    return request.param


@pytest.fixture
def photograph() -> SliceView:
    """60 columns and 40 rows, x = i and y = j."""
    return SliceView((60, 40, 1), np.diag([-1.0, -1.0, 1.0, 1.0]), 2, 0)


def test_a_click_lands_on_its_voxels_pixel_in_every_orientation(axis: int):
    voxel = (1, 6, 8)
    array = np.zeros(SHAPE)
    array[voxel] = 1
    prompts = PromptSet(points=(Point(voxel),)).validated(SHAPE, axis=axis)
    places = set()
    for affine in ORIENTATIONS:
        view = SliceView(SHAPE, affine, axis, voxel[axis])
        row, column = np.argwhere(view.extract(array))[0]
        found = ViewPrompts.from_prompt_set(prompts, view)
        assert found.points_xy.tolist() == [[column, row]]
        assert found.point_labels.tolist() == [1]
        assert found.box_xyxy is None and found.mask is None and found.low_res_logits is None
        places.add((view.shape, int(row), int(column)))
    assert len(places) == 8  # both shapes of picture, each with four flips


def test_a_box_frames_the_same_pixels_in_every_orientation(axis: int):
    lower, upper = (1, 2, 5), (3, 7, 10)
    block = np.zeros(SHAPE, dtype=bool)
    block[1:3, 2:7, 5:10] = True
    index = lower[axis]
    prompts = PromptSet(boxes=(Box(lower, upper),)).validated(SHAPE, axis=axis, slice_index=index)
    for affine in ORIENTATIONS:
        view = SliceView(SHAPE, affine, axis, index)
        rows, columns = np.nonzero(view.extract(block))
        expected = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        assert ViewPrompts.from_prompt_set(prompts, view).box_xyxy == expected


def test_a_mask_is_cut_like_the_picture_in_every_orientation(axis: int):
    mask = np.random.default_rng(0).random(SHAPE) < 0.3
    prompts = PromptSet(mask=MaskPrompt(mask)).validated(SHAPE, axis=axis, slice_index=4)
    for affine in ORIENTATIONS:
        view = SliceView(SHAPE, affine, axis, 4)
        found = ViewPrompts.from_prompt_set(prompts, view)
        assert found.mask is not None and found.mask.dtype == bool
        assert np.array_equal(found.mask, view.extract(mask))
        assert found.points_xy.shape == (0, 2) and found.point_labels.shape == (0,)


def test_every_box_is_an_object_with_the_clicks_that_lie_in_it(photograph: SliceView):
    prompts = PromptSet(
        points=(
            Point((12, 8, 0)),
            Point((19, 19, 0)),
            Point((20, 20, 0)),
            Point((45, 30, 0)),
            Point((3, 39, 0), False),
        ),
        boxes=(Box((10, 5, 0), (20, 20, 1)), Box((40, 25, 0), (60, 40, 1)), Box((0, 0, 0), (5, 5, 1))),
    ).validated((60, 40, 1))
    first, second, third = objects_of(prompts, photograph)
    assert first.box_xyxy == (10, 5, 20, 20)
    # (20, 20) is one past the end of the first box: in no box, so it belongs to no object.
    assert first.points_xy.tolist() == [[12, 8], [19, 19], [3, 39]]
    assert first.point_labels.tolist() == [1, 1, 0]
    assert second.box_xyxy == (40, 25, 60, 40)
    assert second.points_xy.tolist() == [[45, 30], [3, 39]]
    assert third.box_xyxy == (0, 0, 5, 5)
    assert third.points_xy.tolist() == [[3, 39]]


def test_one_box_keeps_all_clicks(photograph: SliceView):
    prompts = PromptSet(points=(Point((50, 30, 0)),), boxes=(Box((10, 5, 0), (20, 20, 1)),)).validated((60, 40, 1))
    (only,) = objects_of(prompts, photograph)
    assert only.points_xy.tolist() == [[50, 30]]
    assert only.box_xyxy == (10, 5, 20, 20)


def test_several_boxes_are_refused_where_one_object_is_expected(photograph: SliceView):
    prompts = PromptSet(boxes=(Box((10, 5, 0), (20, 20, 1)), Box((40, 25, 0), (60, 40, 1)))).validated((60, 40, 1))
    with pytest.raises(ValueError, match=r"2 boxes.*objects_of"):
        ViewPrompts.from_prompt_set(prompts, photograph)


def test_a_scribble_becomes_six_clicks_spread_from_its_middle_to_its_ends(photograph: SliceView):
    stroke = tuple((i, 20, 0) for i in range(10, 51))
    prompts = PromptSet(boxes=(Box((0, 0, 0), (60, 40, 1)),), scribbles=(Scribble(stroke, False),)).validated(
        (60, 40, 1)
    )
    found = ViewPrompts.from_prompt_set(prompts, photograph)
    assert found.point_labels.tolist() == [0] * 6
    assert (found.points_xy[:, 1] == 20).all()
    assert found.points_xy[0].tolist() == [30, 20]
    along = np.sort(found.points_xy[:, 0])
    assert along[0] == 10 and along[-1] == 50
    assert np.diff(along).min() >= 4


def test_a_short_scribble_gives_each_voxel_once(photograph: SliceView):
    stroke = ((4, 7, 0), (5, 7, 0), (4, 7, 0), (4, 8, 0))
    prompts = PromptSet(points=(Point((1, 1, 0), False),), scribbles=(Scribble(stroke),)).validated((60, 40, 1))
    found = ViewPrompts.from_prompt_set(prompts, photograph)
    assert found.points_xy[0].tolist() == [1, 1]
    assert sorted(found.points_xy[1:].tolist()) == [[4, 7], [4, 8], [5, 7]]
    assert found.point_labels.tolist() == [0, 1, 1, 1]


def test_refining_keeps_the_prompts_and_adds_the_earlier_answer(photograph: SliceView):
    prompts = PromptSet(points=(Point((12, 8, 0)),), boxes=(Box((10, 5, 0), (20, 20, 1)),)).validated((60, 40, 1))
    before = ViewPrompts.from_prompt_set(prompts, photograph)
    earlier = torch.zeros(1, 32, 32)
    after = before.refining(earlier)
    assert after.low_res_logits is earlier and before.low_res_logits is None
    assert after.box_xyxy == before.box_xyxy
    assert np.array_equal(after.points_xy, before.points_xy)
