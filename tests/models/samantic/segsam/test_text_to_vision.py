from __future__ import annotations

import torch

from samantic.segsam.text_to_vision import TextToVision


def _module() -> TextToVision:
    torch.manual_seed(0)
    return TextToVision(text_dim=12, embedding_dim=32).eval()


@torch.inference_mode()
def test_the_summary_is_one_token_an_image_and_sees_text_image_and_place():
    module = _module()
    text, image, position = torch.randn(5, 12), torch.randn(2, 32, 4, 6), torch.randn(1, 32, 4, 6)
    summary = module.summarise(text, image, position)
    assert summary.shape == (2, 32)
    assert (summary[0] - summary[1]).abs().max() > 1e-4
    for changed in (
        module.summarise(text + 1, image, position),
        module.summarise(text, image.flip(2), position),
        module.summarise(text[:4], image, position),
    ):
        assert (changed - summary).abs().max() > 1e-5


@torch.inference_mode()
def test_the_order_of_the_classes_does_not_matter():
    module = _module()
    text, image, position = torch.randn(5, 12), torch.randn(2, 32, 4, 6), torch.randn(1, 32, 4, 6)
    torch.testing.assert_close(
        module.summarise(text, image, position), module.summarise(text.flip(0), image, position), atol=1e-5, rtol=0
    )


@torch.inference_mode()
def test_every_prompt_token_hears_of_the_summary_on_its_own():
    module = _module()
    tokens, summary = torch.randn(3, 4, 32), torch.randn(3, 32)
    fused = module(tokens, summary)
    assert fused.shape == tokens.shape
    torch.testing.assert_close(fused[1:2, 2:3], module(tokens[1:2, 2:3], summary[1:2]), atol=1e-5, rtol=0)
    assert (module(tokens, summary + 1) - fused).abs().amax(dim=2).min() > 1e-4
