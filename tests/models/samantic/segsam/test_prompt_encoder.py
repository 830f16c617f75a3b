from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from segment_anything.modeling import PromptEncoder as SamPromptEncoder

from samantic.segsam.prompt_encoder import PromptEncoder, RasterPromptEncoder

SIZE, GRID = 64, 32
"""Input pixels and raster cells along a side: a cell is two pixels wide."""


def _corners(x0: float, y0: float, x1: float, y1: float) -> list[tuple[float, float, int]]:
    """The tokens of a half-open box: bounds are edges, half a pixel before the pixel centre that they name."""
    return [(x0 - 0.5, y0 - 0.5, 2), (x1 - 0.5, y1 - 0.5, 3)]


@pytest.fixture
def drawn():
    """What a raster prompt encoder draws: previous mask, inside of the box, foreground and background clicks."""
    encoder = RasterPromptEncoder(embed_dim=32, image_embedding_size=8, input_image_size=SIZE)

    def draw(prompts) -> torch.Tensor:
        seen: list[torch.Tensor] = []
        handle = encoder.raster_skip.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
        with torch.no_grad():
            encoder(prompts)
        handle.remove()
        return seen[0]

    return draw


class TestSparse:
    @pytest.fixture(scope="class")
    def encoders(self) -> tuple[SamPromptEncoder, PromptEncoder]:
        torch.manual_seed(0)
        sam = SamPromptEncoder(32, (8, 8), (SIZE, SIZE), 16).eval()
        ours = PromptEncoder(32, (8, 8), (SIZE, SIZE), 16).eval()
        ours.load_state_dict(sam.state_dict())
        return sam, ours

    def test_clicks_become_sams_tokens_with_the_one_that_ends_them(self, encoders, batch_of):
        sam, ours = encoders
        clicks = [(3.0, 50.0, 1), (20.5, 7.0, 0)]
        points = torch.tensor([[[3.0, 50.0], [20.5, 7.0]]])
        expected, dense = sam((points, torch.tensor([[1, 0]])), None, None)
        found = ours(batch_of([clicks]))
        assert not found.is_padding.any()
        torch.testing.assert_close(found.sparse, expected)
        torch.testing.assert_close(found.dense, dense.expand_as(found.dense))

    def test_shorter_rows_are_filled_up_before_the_token_that_ends_them(self, encoders, batch_of):
        _, ours = encoders
        clicks = [(3.0, 50.0, 1), (20.5, 7.0, 0)]
        alone, both = ours(batch_of([clicks])), ours(batch_of([clicks, [*clicks, (1.0, 1.0, 1)]]))
        assert both.is_padding.tolist() == [[False, False, True, False], [False] * 4]
        torch.testing.assert_close(both.sparse[:1, [0, 1, 3]], alone.sparse)

    def test_a_box_becomes_sams_two_corner_tokens(self, encoders, batch_of):
        sam, ours = encoders
        expected, _ = sam(None, torch.tensor([[3.0, 7.0, 30.0, 50.0]]), None)
        found = ours(batch_of([[(3.0, 7.0, 2), (30.0, 50.0, 3)]]))
        torch.testing.assert_close(found.sparse[:, :2], expected)
        assert found.is_padding.tolist() == [[False, False, True]]

    def test_a_click_in_a_box_is_not_ended(self, encoders, batch_of):
        sam, ours = encoders
        box, click = torch.tensor([[3.0, 7.0, 30.0, 50.0]]), torch.tensor([[[9.0, 20.0]]])
        expected, _ = sam((click, torch.tensor([[1]])), box, None)
        found = ours(batch_of([[(9.0, 20.0, 1), (3.0, 7.0, 2), (30.0, 50.0, 3)]]))
        torch.testing.assert_close(found.sparse[:, :3], expected)
        assert found.is_padding.tolist() == [[False, False, False, True]]

    def test_a_mask_alone_has_no_tokens(self, encoders, batch_of):
        _, ours = encoders
        prompts = replace(batch_of([[(0.0, 0.0, -1)]]), has_mask=torch.tensor([True]))
        assert ours(prompts).is_padding.all()

    def test_a_previous_mask_becomes_sams_dense_prompt(self, encoders, batch_of):
        sam, ours = encoders
        mask = torch.randn(1, 1, GRID, GRID)
        _, expected = sam(None, None, mask)
        prompts = batch_of([[(3.0, 7.0, 1)]])
        given = replace(prompts, mask_logits=mask, has_mask=torch.tensor([True]))
        torch.testing.assert_close(ours(given).dense, expected)


class TestRaster:
    @pytest.mark.parametrize("box", [(10, 24, 30, 28), (0, 0, 64, 64), (41, 3, 44, 62), (7.3, 20.6, 9.1, 33.9)])
    def test_a_box_is_drawn_where_it_is(self, box, drawn, batch_of):
        inside = drawn(batch_of([_corners(*box)]))[0, 1].bool()
        x0, y0, x1, y1 = box
        centre = 2.0 * torch.arange(GRID) + 1.0
        must = _outer((centre > y0) & (centre < y1), (centre > x0) & (centre < x1))
        may = _outer((centre + 1 >= y0) & (centre - 1 <= y1), (centre + 1 >= x0) & (centre - 1 <= x1))
        assert inside[must].all()
        assert not inside[~may].any()

    def test_a_box_grows_as_much_on_every_side(self, drawn, batch_of):
        inside = drawn(batch_of([_corners(20, 20, 44, 44)]))[0, 1]
        assert torch.equal(inside, inside.flip(0)) and torch.equal(inside, inside.flip(1))

    def test_a_box_thinner_than_a_cell_is_still_seen(self, drawn, batch_of):
        inside = drawn(batch_of([_corners(20, 13, 50, 13.4)]))[0, 1]
        assert inside[6, 10:25].all()

    def test_a_foreground_click_is_brightest_in_its_own_cell(self, drawn, batch_of):
        previous, inside, foreground, background = drawn(batch_of([[(40.0, 9.0, 1)]]))[0]
        assert divmod(int(foreground.argmax()), GRID) == (4, 20)
        assert foreground.max() > 0.9
        assert foreground[20, 4] < 1e-3
        assert not previous.any() and not inside.any() and not background.any()

    def test_a_background_click_is_drawn_apart_from_foreground(self, drawn, batch_of):
        _, _, foreground, background = drawn(batch_of([[(40.0, 9.0, 0), (5.0, 60.0, 1)]]))[0]
        assert divmod(int(background.argmax()), GRID) == (4, 20)
        assert divmod(int(foreground.argmax()), GRID) == (30, 2)

    def test_padding_draws_nothing(self, drawn, batch_of):
        alone = drawn(batch_of([[(40.0, 9.0, 1)]]))
        padded = drawn(batch_of([[(40.0, 9.0, 1)], [*_corners(1, 1, 60, 60), (3.0, 3.0, 0)]]))
        assert torch.equal(alone[0], padded[0])

    def test_the_previous_mask_is_drawn_with_its_sign(self, drawn, batch_of):
        mask = torch.full((1, 1, GRID, GRID), -6.0)
        mask[..., 3:9, 20:30] = 6.0
        given = replace(batch_of([[(40.0, 9.0, 1)]]), mask_logits=mask, has_mask=torch.tensor([True]))
        previous = drawn(given)[0, 0]
        assert torch.equal(previous > 0, mask[0, 0] > 0)
        assert previous.abs().max() <= 1


def _outer(rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    return rows[:, None] & columns[None, :]
