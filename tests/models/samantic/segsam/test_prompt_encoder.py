from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from segment_anything.modeling import PromptEncoder as SamPromptEncoder

from samantic.segsam.prompt_encoder import PromptEncoder, RasterPromptEncoder

SIZE, GRID = 64, 32
"""Input pixels and raster cells along a side: a cell is two pixels wide."""


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
    @pytest.fixture(scope="class")
    def encoder(self) -> RasterPromptEncoder:
        torch.manual_seed(0)
        return RasterPromptEncoder(embed_dim=32, image_embedding_size=8, input_image_size=SIZE).eval()

    def test_drawn_prompts_change_the_dense_prompt_most_where_they_are(self, encoder, batch_of):
        left, right = (encoder(batch_of([[(x, 30.0, 1)]])).dense[0] for x in (4.0, 60.0))
        columns = (left - right).abs().sum(dim=(0, 1))
        assert columns.shape == (8,)
        assert columns[[0, 7]].min() > 2 * columns[[3, 4]].max()

    def test_the_skip_has_a_quarter_of_the_channels_on_half_the_grid(self, encoder, batch_of):
        found = encoder(batch_of([[(8.0, 30.0, 1)], [(8.0, 30.0, 0), (3.0, 3.0, 1)]]))
        assert found.dense_skip is not None and found.dense_skip.shape == (2, 8, GRID // 2, GRID // 2)

    def test_tokens_are_those_of_an_encoder_that_does_not_draw(self, encoder, batch_of):
        plain = PromptEncoder(32, (8, 8), (SIZE, SIZE), 16)
        plain.load_state_dict(encoder.state_dict(), strict=False)
        prompts = batch_of([[(3.0, 50.0, 1), (20.5, 7.0, 0)]])
        # Only SAM's weights expect a token that ends the clicks.
        torch.testing.assert_close(encoder(prompts).sparse, plain(prompts).sparse[:, :2])

    def test_no_mask_differs_from_one_that_is_undecided(self, encoder, batch_of):
        prompts = batch_of([[(8.0, 30.0, 1)]])
        given = replace(prompts, has_mask=torch.tensor([True]))
        assert not torch.allclose(encoder(prompts).dense, encoder(given).dense)
