"""SAM's own checkpoints must load key by key; a pass at 1024x1024 is too slow to be run here."""

from __future__ import annotations

import pytest
import torch
from segment_anything import sam_model_registry
from segment_anything.modeling import Sam

from samantic.sam.image_encoder import ImageEncoder
from samantic.sam.vit_encoder import VitEncoder
from samantic.segsam import SegSam, SegSamConfig


@pytest.fixture(scope="module")
def sam() -> Sam:
    """SAM vit_b with random weights."""
    torch.manual_seed(0)
    return sam_model_registry["vit_b"](checkpoint=None)


@pytest.fixture(scope="module")
def network() -> SegSam:
    """SEG-SAM on vit_b with only SAM's own parts."""
    config = SegSamConfig(
        ("liver",),
        encoder="vit_b",
        so_token=False,
        co_tokens=False,
        text_to_vision=False,
        raster_prompts=False,
        transformer_mlp_dim=2048,
    )
    return SegSam(config)


def test_the_encoder_keeps_its_promises(network: SegSam):
    encoder = network.encoder
    assert isinstance(encoder, VitEncoder)
    assert isinstance(encoder, ImageEncoder)
    assert (encoder.image_size, encoder.embedding_dim, encoder.embedding_size) == (1024, 256, 64)
    assert network.image_size == 1024
    assert network.low_resolution_size == 256


def test_a_sam_checkpoint_loads_key_by_key(network: SegSam, sam: Sam):
    weights = {
        f"encoder.{name}" if name.startswith("image_encoder.") else name: tensor
        for name, tensor in sam.state_dict().items()
    }
    missing, unexpected = network.load_state_dict(weights, strict=False)
    assert unexpected == []
    assert missing == ["text_embeddings"]
    assert torch.equal(
        network.encoder.image_encoder.blocks[7].attn.qkv.weight, sam.image_encoder.blocks[7].attn.qkv.weight
    )
    assert torch.equal(network.mask_decoder.iou_token.weight, sam.mask_decoder.iou_token.weight)
    assert torch.equal(network.prompt_encoder.get_dense_pe(), sam.prompt_encoder.get_dense_pe())


def test_pixels_are_normalised_as_in_sam(network: SegSam, sam: Sam):
    assert torch.equal(network.pixel_mean.flatten(), sam.pixel_mean.flatten())
    assert torch.equal(network.pixel_std.flatten(), sam.pixel_std.flatten())


def test_the_picture_goes_through_sams_own_encoder(network: SegSam, sam: Sam, monkeypatch: pytest.MonkeyPatch):
    # One block instead of twelve: the same code in a twelfth of the time.
    monkeypatch.setattr(network.encoder.image_encoder, "blocks", network.encoder.image_encoder.blocks[:1])
    monkeypatch.setattr(sam.image_encoder, "blocks", sam.image_encoder.blocks[:1])
    network.encoder.image_encoder.load_state_dict(sam.image_encoder.state_dict())
    image = 255 * torch.rand(1, 3, 1024, 1024, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        features = network.encode(image)
        expected = sam.image_encoder(torch.stack([sam.preprocess(image[0])]))
    assert features.keys() == {"image_embedding"}
    torch.testing.assert_close(features["image_embedding"], expected, atol=1e-4, rtol=0)
