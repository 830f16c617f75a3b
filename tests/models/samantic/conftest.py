"""SAM in small: its own modules, every weight at random, on pictures of 128x128."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
import torch
from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer

from samantic.sam.registry import ENCODERS
from samantic.sam.vit_encoder import MedSamEncoder, VitEncoder


def _small_vit() -> ImageEncoderViT:
    return ImageEncoderViT(
        img_size=128,
        embed_dim=32,
        depth=2,
        num_heads=2,
        out_chans=256,
        norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
        use_rel_pos=True,
        window_size=3,
        global_attn_indexes=(1,),
    )


@pytest.fixture(scope="session")
def small_vits() -> Iterator[None]:
    """Encoders with the shape of the small SAM's, under the names "small_vit" and "small_medsam"."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ENCODERS, "small_vit", lambda: VitEncoder(_small_vit()))
        patch.setitem(ENCODERS, "small_medsam", lambda: MedSamEncoder(_small_vit()))
        yield


@pytest.fixture(scope="session")
def small_sam() -> Sam:
    """`segment_anything`'s own Sam with the decoders of vit_b and a small encoder."""
    torch.manual_seed(3)
    sam = Sam(
        _small_vit(),
        PromptEncoder(256, (8, 8), (128, 128), 16),
        MaskDecoder(
            transformer_dim=256, transformer=TwoWayTransformer(depth=2, embedding_dim=256, num_heads=8, mlp_dim=2048)
        ),
    )
    with torch.no_grad():
        # Positions and biases start at zero: a weight that goes astray must be seen.
        for parameter in sam.parameters():
            parameter.add_(0.03 * torch.randn_like(parameter))
    return sam.eval()
