from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
import torch

from samantic.segsam.prompt_batch import PromptBatch
from samantic.segsam.prompt_raster import draw_prompts

SIZE, GRID = 64, 32
"""Input pixels and raster cells along a side: a cell is two pixels wide."""


@pytest.fixture
def drawn() -> Callable[[PromptBatch], torch.Tensor]:
    """Previous mask, inside of the box, foreground and background clicks of every object."""
    return partial(draw_prompts, input_size=SIZE)


@pytest.mark.parametrize("box", [(10, 24, 30, 28), (0, 0, 64, 64), (41, 3, 44, 62), (7.3, 20.6, 9.1, 33.9)])
def test_a_box_is_drawn_where_it_is(box, drawn, batch_of):
    inside = drawn(batch_of([_corners(*box)]))[0, 1].bool()
    x0, y0, x1, y1 = box
    centre = 2.0 * torch.arange(GRID) + 1.0
    must = _outer((centre > y0) & (centre < y1), (centre > x0) & (centre < x1))
    may = _outer((centre + 1 >= y0) & (centre - 1 <= y1), (centre + 1 >= x0) & (centre - 1 <= x1))
    assert inside[must].all()
    assert not inside[~may].any()


def test_a_box_grows_as_much_on_every_side(drawn, batch_of):
    inside = drawn(batch_of([_corners(20, 20, 44, 44)]))[0, 1]
    assert torch.equal(inside, inside.flip(0)) and torch.equal(inside, inside.flip(1))


def test_a_box_thinner_than_a_cell_is_still_seen(drawn, batch_of):
    inside = drawn(batch_of([_corners(20, 13, 50, 13.4)]))[0, 1]
    assert inside[6, 10:25].all()


def test_a_foreground_click_is_brightest_in_its_own_cell(drawn, batch_of):
    previous, inside, foreground, background = drawn(batch_of([[(40.0, 9.0, 1)]]))[0]
    assert divmod(int(foreground.argmax()), GRID) == (4, 20)
    assert foreground.max() > 0.9
    assert foreground[20, 4] < 1e-3
    assert not previous.any() and not inside.any() and not background.any()


def test_a_background_click_is_drawn_apart_from_foreground(drawn, batch_of):
    _, _, foreground, background = drawn(batch_of([[(40.0, 9.0, 0), (5.0, 60.0, 1)]]))[0]
    assert divmod(int(background.argmax()), GRID) == (4, 20)
    assert divmod(int(foreground.argmax()), GRID) == (30, 2)


def test_padding_draws_nothing(drawn, batch_of):
    alone = drawn(batch_of([[(40.0, 9.0, 1)]]))
    padded = drawn(batch_of([[(40.0, 9.0, 1)], [*_corners(1, 1, 60, 60), (3.0, 3.0, 0)]]))
    assert torch.equal(alone[0], padded[0])


def test_the_previous_mask_is_drawn_with_its_sign(drawn, batch_of):
    mask = torch.full((1, 1, GRID, GRID), -6.0)
    mask[..., 3:9, 20:30] = 6.0
    given = replace(batch_of([[(40.0, 9.0, 1)]]), mask_logits=mask, has_mask=torch.tensor([True]))
    previous = drawn(given)[0, 0]
    assert torch.equal(previous > 0, mask[0, 0] > 0)
    assert previous.abs().max() <= 1


def _corners(x0: float, y0: float, x1: float, y1: float) -> list[tuple[float, float, int]]:
    """The tokens of a half-open box: bounds are edges, half a pixel before the pixel centre that they name."""
    return [(x0 - 0.5, y0 - 0.5, 2), (x1 - 0.5, y1 - 0.5, 3)]


def _outer(rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    return rows[:, None] & columns[None, :]
