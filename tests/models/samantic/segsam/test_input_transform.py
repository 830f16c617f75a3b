from __future__ import annotations

import numpy as np
import pytest
import torch

from samantic.segsam import InputTransform

SIZE, GRID = 256, 128
CASES = [
    ((256, 256), (1.0, 1.0)),
    ((17, 31), (1.0, 1.0)),
    ((301, 97), (0.7, 3.0)),
    ((60, 90), (5.0, 0.5)),
    ((700, 1003), (0.3, 0.3)),
    ((1, 500), (1.0, 1.0)),
    ((500, 1), (1.0, 1.0)),
    ((3, 4000), (1.0, 1.0)),
    ((1, 1), (1.0, 1.0)),
]
ROOMY = CASES[:5]
"""Pictures with room for a square."""


@pytest.mark.parametrize(("shape", "spacing"), CASES)
def test_the_picture_lies_whole_and_in_the_middle_of_the_input(shape, spacing):
    transform = InputTransform(shape, spacing, SIZE)
    image = transform.image(np.full((*shape, 3), 200, dtype=np.uint8))
    assert image.shape == (1, 3, SIZE, SIZE)
    rows, columns = (np.flatnonzero((image[0, 0] > 0).any(dim=axis).numpy()) for axis in (1, 0))
    assert (len(rows), len(columns)) == transform.inner_shape
    assert max(transform.inner_shape) == SIZE
    assert abs(rows[0] - (SIZE - 1 - rows[-1])) <= 1 and abs(columns[0] - (SIZE - 1 - columns[-1])) <= 1
    assert np.allclose(image[0, :, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], 200, atol=1e-3)


@pytest.mark.parametrize(("shape", "spacing"), CASES)
def test_the_edges_of_the_picture_become_the_edges_of_its_place_in_the_input(shape, spacing):
    transform = InputTransform(shape, spacing, SIZE)
    (rows, columns), (inner_rows, inner_columns), (top, left) = shape, transform.inner_shape, transform.offset_yx
    corners = transform.points(np.array([(-0.5, -0.5), (columns - 0.5, rows - 0.5)]))
    expected = [(left - 0.5, top - 0.5), (left + inner_columns - 0.5, top + inner_rows - 0.5)]
    assert np.allclose(corners, expected)


@pytest.mark.parametrize(("shape", "spacing"), ROOMY)
def test_a_millimetre_is_as_long_across_as_down(shape, spacing):
    transform = InputTransform(shape, spacing, SIZE)
    origin, down, right = transform.points(np.array([(5, 5), (5, 5 + 6 / spacing[0]), (5 + 6 / spacing[1], 5)]))
    # Rows and columns are whole: a side may be half a pixel off.
    tolerance = 1 / min(transform.inner_shape)
    assert right[0] - origin[0] == pytest.approx(down[1] - origin[1], rel=tolerance)


@pytest.mark.parametrize(("shape", "spacing"), ROOMY)
def test_a_point_lands_on_what_it_pointed_at(shape, spacing):
    transform = InputTransform(shape, spacing, SIZE)
    row, column = shape[0] // 3, 2 * shape[1] // 3
    picture = np.zeros((*shape, 3), dtype=np.uint8)
    reach = 5
    picture[row - reach : row + reach + 1, column - reach : column + reach + 1] = 255
    bright = transform.image(picture)[0, 0].numpy().astype(float)
    weights = bright / bright.sum()
    y, x = (np.arange(SIZE) @ weights.sum(axis=axis) for axis in (1, 0))
    assert np.allclose(transform.points(np.array([(column, row)]))[0], (x, y), atol=0.15)


@pytest.mark.parametrize(("shape", "spacing"), ROOMY)
def test_a_point_comes_back_from_where_the_network_saw_it(shape, spacing):
    transform = InputTransform(shape, spacing, SIZE)
    point = np.array([shape[1] // 4, 3 * shape[0] // 4])
    x, y = transform.points(point)[0]
    rows, columns = np.mgrid[:GRID, :GRID]
    # Cells of the mask grid are two input pixels wide.
    distance = (2 * columns + 0.5 - x) ** 2 + (2 * rows + 0.5 - y) ** 2
    answer = transform.picture_logits(torch.from_numpy(-distance)[None].float())[0]
    assert answer.shape == shape
    found = np.array(np.unravel_index(int(answer.argmax()), shape))[::-1]
    cell = 2 * np.array(shape)[::-1] / np.array(transform.inner_shape)[::-1]
    assert (abs(found - point) <= cell / 2 + 0.5).all()


@pytest.mark.parametrize(("shape", "spacing"), ROOMY)
def test_a_square_comes_back_within_half_a_cell_of_the_mask_grid(shape, spacing):
    transform = InputTransform(shape, spacing, SIZE)
    rows, columns = slice(shape[0] // 5, 3 * shape[0] // 4), slice(shape[1] // 3, 4 * shape[1] // 5)
    mask = np.zeros(shape, dtype=bool)
    mask[rows, columns] = True
    logits = transform.mask_logits(mask, GRID, 6.0)
    assert logits.shape == (1, GRID, GRID)
    assert set(logits.unique().tolist()) == {-6.0, 6.0}
    found = transform.picture_logits(logits)[0].numpy() > 0
    half_cell = np.array(shape) / np.array(transform.inner_shape)
    for axis, wanted in ((1, rows), (0, columns)):
        inside = np.flatnonzero(found.any(axis=axis))
        # A pixel is in or out as a whole, hence half a pixel more.
        allowed = half_cell[1 - axis] + 0.5
        assert abs(inside[0] - wanted.start) <= allowed
        assert abs(inside[-1] + 1 - wanted.stop) <= allowed


def test_an_untouched_border_is_outside_every_mask():
    logits = InputTransform((20, 60), (1.0, 1.0), SIZE).mask_logits(np.ones((20, 60), dtype=bool), GRID, 6.0)[0]
    rows = np.flatnonzero((logits > 0).any(dim=1).numpy())
    assert len(rows) == pytest.approx(GRID / 3, abs=1)
    assert rows[0] == pytest.approx(GRID / 3, abs=1)


def test_all_masks_of_an_object_are_brought_back_at_once():
    answers = InputTransform((30, 40), (1.0, 1.0), SIZE).picture_logits(torch.randn(4, GRID, GRID))
    assert answers.shape == (4, 30, 40)
