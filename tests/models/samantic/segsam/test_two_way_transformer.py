from __future__ import annotations

import torch
from segment_anything.modeling import TwoWayTransformer

from samantic.segsam.two_way_transformer import PaddedTwoWayTransformer


def _transformers() -> tuple[TwoWayTransformer, PaddedTwoWayTransformer]:
    torch.manual_seed(0)
    shape = {"depth": 2, "embedding_dim": 32, "num_heads": 4, "mlp_dim": 48}
    sam, ours = TwoWayTransformer(**shape).eval(), PaddedTwoWayTransformer(**shape).eval()
    ours.load_state_dict(sam.state_dict())
    return sam, ours


def test_without_padding_it_is_sams_transformer():
    sam, ours = _transformers()
    image, position, tokens = torch.randn(3, 32, 5, 6), torch.randn(3, 32, 5, 6), torch.randn(3, 7, 32)
    for is_padding in (None, torch.zeros(3, 7, dtype=torch.bool)):
        for expected, found in zip(
            sam(image, position, tokens), ours(image, position, tokens, is_padding), strict=True
        ):
            torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_padding_changes_neither_the_other_tokens_nor_the_image():
    _, ours = _transformers()
    image, position, tokens = torch.randn(2, 32, 5, 6), torch.randn(2, 32, 5, 6), torch.randn(2, 7, 32)
    is_padding = torch.tensor([[False] * 4 + [True] * 3] * 2)
    short_tokens, short_image = ours(image, position, tokens[:, :4])
    long_tokens, long_image = ours(image, position, tokens, is_padding)
    torch.testing.assert_close(long_tokens[:, :4], short_tokens, atol=1e-5, rtol=0)
    torch.testing.assert_close(long_image, short_image, atol=1e-5, rtol=0)
    seen_tokens, seen_image = ours(image, position, tokens)
    assert (seen_image - short_image).abs().max() > 1e-2
    assert (seen_tokens[:, :4] - short_tokens).abs().max() > 1e-2
