"""SAM's own image encoders, from `segment-anything`."""

from __future__ import annotations

import torch
from segment_anything import sam_model_registry
from torch import nn

from samantic.sam.image_encoder import FeatureMaps


class VitEncoder(nn.Module):
    """SAM's ViT image encoder (Kirillov et al. 2023, arXiv 2304.02643): (B, 3, 1024, 1024) -> (B, 256, 64, 64).

    The sub-module is called `image_encoder` and keeps SAM's parameter names, so published checkpoints load key by key.
    """

    pixel_mean = (123.675, 116.28, 103.53)
    pixel_std = (58.395, 57.12, 57.375)
    skip_channels: dict[str, int] = {}  # noqa: RUF012  SAM's ViTs give no fine feature maps

    def __init__(self, image_encoder: nn.Module) -> None:
        super().__init__()
        self.image_encoder = image_encoder
        self.image_size = 1024
        self.embedding_dim = 256
        self.embedding_size = 64

    def forward(self, images: torch.Tensor) -> FeatureMaps:
        return {"image_embedding": self.image_encoder(images)}


def build_vit(name: str) -> VitEncoder:
    """Build `vit_b`, `vit_l` or `vit_h` with random weights; its weights are loaded from a verified checkpoint."""
    return VitEncoder(sam_model_registry[name](checkpoint=None).image_encoder)
