"""SAM's own image encoders, from `segment-anything`."""

from __future__ import annotations

import torch
from segment_anything import sam_model_registry
from segment_anything.modeling import ImageEncoderViT
from torch import nn

from samantic.sam.image_encoder import FeatureMaps, Placement

SAM_IMAGE_SIZE = 1024


class VitEncoder(nn.Module):
    """SAM's ViT image encoder (Kirillov et al. 2023, arXiv 2304.02643): (B, 3, 1024, 1024) -> (B, 256, 64, 64).

    The sub-module is called `image_encoder` and keeps SAM's parameter names, so published checkpoints load key by key.
    """

    pixel_mean = (123.675, 116.28, 103.53)
    pixel_std = (58.395, 57.12, 57.375)
    placement: Placement = "corner"
    border = pixel_mean
    """SAM pads the normalised image with zeros."""

    skip_channels: dict[str, int] = {}  # noqa: RUF012  SAM's ViTs give no fine feature maps

    def __init__(self, image_encoder: ImageEncoderViT) -> None:
        super().__init__()
        self.image_encoder = image_encoder
        patch_size = image_encoder.patch_embed.proj.stride[0]
        self.image_size = image_encoder.img_size
        self.embedding_dim = image_encoder.neck[0].out_channels
        self.embedding_size = image_encoder.img_size // patch_size

    def forward(self, images: torch.Tensor) -> FeatureMaps:
        return {"image_embedding": self.image_encoder(images)}


class MedSamEncoder(VitEncoder):
    """SAM's encoder as MedSAM trained it (Ma et al. 2024, doi 10.1038/s41467-024-44824-z).

    Pictures are stretched to the square, and each is scaled so that its own darkest and brightest values are 0 and 1,
    without SAM's mean and deviation (the authors' `MedSAM_Inference.py`).
    """

    pixel_mean = (0.0, 0.0, 0.0)
    pixel_std = (255.0, 255.0, 255.0)
    placement = "stretch"
    border = (0.0, 0.0, 0.0)

    def forward(self, images: torch.Tensor) -> FeatureMaps:
        low, high = images.amin(dim=(1, 2, 3), keepdim=True), images.amax(dim=(1, 2, 3), keepdim=True)
        return super().forward((images - low) / (high - low).clamp(min=1e-8))


def build_vit(name: str, image_size: int | None = None, build: type[VitEncoder] = VitEncoder) -> VitEncoder:
    """Build `vit_b`, `vit_l` or `vit_h` with random weights; its weights are loaded from a verified checkpoint.

    Raises ValueError for an `image_size` other than the one that the position embeddings are made for.
    """
    if image_size not in (None, SAM_IMAGE_SIZE):
        raise ValueError(
            f"'{name}' reads pictures of {SAM_IMAGE_SIZE} x {SAM_IMAGE_SIZE} pixels alone, for its position embeddings "
            f"are learned at that size; leave image_size out instead of setting it to {image_size}."
        )
    return build(sam_model_registry[name](checkpoint=None).image_encoder)
