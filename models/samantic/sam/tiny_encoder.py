"""A light image encoder for 256x256 input with a fine path for crisp borders (ours)."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from samantic.sam.image_encoder import FeatureMaps, Placement


class TinyEncoder(nn.Module):
    """ConvNeXt-like stages at strides 4, 8 and 16, joined by a feature pyramid at stride 8 (ours).

    Blocks follow ConvNeXt (Liu et al. 2022, arXiv 2201.03545), the pyramid follows Lin et al. 2017 (arXiv 1612.03144).
    For (B, 3, 256, 256) it returns `image_embedding` (B, 128, 32, 32), `skip_stride4` (B, 32, 64, 64) and
    `skip_stride2` (B, 16, 128, 128).
    """

    pixel_mean = (123.675, 116.28, 103.53)
    pixel_std = (58.395, 57.12, 57.375)
    placement: Placement = "centre"
    border = (0.0, 0.0, 0.0)

    def __init__(
        self,
        image_size: int = 256,
        embedding_dim: int = 128,
        widths: tuple[int, int, int, int] = (24, 64, 128, 256),
        depths: tuple[int, int, int] = (2, 3, 4),
    ) -> None:
        super().__init__()
        self.image_size = image_size
        self.embedding_dim = embedding_dim
        self.embedding_size = image_size // 8
        self.skip_channels = {"skip_stride4": embedding_dim // 4, "skip_stride2": embedding_dim // 8}

        stride2, stride4, stride8, stride16 = widths
        self.stem = nn.Sequential(
            nn.Conv2d(3, stride2, 3, stride=2, padding=1),
            nn.GroupNorm(1, stride2),
            nn.GELU(),
            nn.Conv2d(stride2, stride2, 3, padding=1),
            nn.GroupNorm(1, stride2),
            nn.GELU(),
        )
        self.stage4 = _stage(stride2, stride4, depths[0])
        self.stage8 = _stage(stride4, stride8, depths[1])
        self.stage16 = _stage(stride8, stride16, depths[2])
        self.global_context = nn.Sequential(nn.Linear(stride16, stride16), nn.GELU(), nn.Linear(stride16, stride16))

        self.lateral4 = nn.Conv2d(stride4, embedding_dim, 3, stride=2, padding=1)
        self.lateral8 = nn.Conv2d(stride8, embedding_dim, 1)
        self.lateral16 = nn.Conv2d(stride16, embedding_dim, 1)
        self.neck = nn.Sequential(
            nn.GroupNorm(1, embedding_dim),
            nn.Conv2d(embedding_dim, embedding_dim, 3, padding=1),
            nn.GroupNorm(1, embedding_dim),
        )
        self.skip4 = nn.Conv2d(stride4, self.skip_channels["skip_stride4"], 1)
        self.skip2 = nn.Conv2d(stride2, self.skip_channels["skip_stride2"], 1)

    def forward(self, images: torch.Tensor) -> FeatureMaps:
        stride2 = self.stem(images)
        stride4 = self.stage4(stride2)
        stride8 = self.stage8(stride4)
        stride16 = self.stage16(stride8)
        # Convolutions alone see too little of the image to tell a vertebra's level or an organ's side.
        stride16 = stride16 + self.global_context(stride16.mean(dim=(2, 3)))[:, :, None, None]
        coarse = functional.interpolate(self.lateral16(stride16), scale_factor=2.0, mode="bilinear")
        return {
            "image_embedding": self.neck(self.lateral4(stride4) + self.lateral8(stride8) + coarse),
            "skip_stride4": self.skip4(stride4),
            "skip_stride2": self.skip2(stride2),
        }


class ConvNeXtBlock(nn.Module):
    """Depthwise 7x7, then a pointwise bottleneck of four times the width, with a scaled residual."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.GroupNorm(1, channels)
        self.expand = nn.Conv2d(channels, 4 * channels, 1)
        self.project = nn.Conv2d(4 * channels, channels, 1)
        self.scale = nn.Parameter(torch.full((channels, 1, 1), 0.1))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        update = self.norm(self.depthwise(features))
        return features + self.scale * self.project(functional.gelu(self.expand(update)))


def _stage(channels_in: int, channels_out: int, depth: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, 2, stride=2),
        nn.GroupNorm(1, channels_out),
        *(ConvNeXtBlock(channels_out) for _ in range(depth)),
    )
