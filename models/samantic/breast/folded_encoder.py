"""A small image encoder for grey pictures that is trained from scratch (ours)."""

from __future__ import annotations

import itertools

import torch
from torch import nn
from torch.nn import functional

from samantic.breast.residual_block import ResidualBlock
from samantic.sam.image_encoder import FeatureMaps, Placement

FOLD = 4
"""Four by four neighbours become channels first: a sixteenth of the arithmetic, and nothing is lost."""


class FoldedEncoder(nn.Module):
    """Residual stages at strides 4, 8, 16 and 32, joined by a pyramid at stride 8 (an `ImageEncoder`).

    For (B, 3, 128, 128) it returns `image_embedding` (B, 128, 16, 16) and the stages `stride4` (B, 24, 32, 32) to
    `stride32` (B, 224, 4, 4). The pyramid follows Lin et al. 2017 (arXiv 1612.03144). ValueError for an `image_size`
    that is no multiple of 32, or less than 64.
    """

    pixel_mean = (127.5, 127.5, 127.5)
    pixel_std = (64.0, 64.0, 64.0)
    placement: Placement = "stretch"
    border = (0.0, 0.0, 0.0)
    skip_channels: dict[str, int] = {}  # noqa: RUF012  the stages are finer maps of another kind than SEG-SAM's

    def __init__(
        self,
        image_size: int = 128,
        embedding_dim: int = 128,
        widths: tuple[int, int, int, int] = (24, 64, 128, 224),
    ) -> None:
        super().__init__()
        if image_size % 32 or image_size < 64:
            raise ValueError(f"The image size of this encoder must be a multiple of 32 from 64 on, not {image_size}.")
        self.image_size = image_size
        self.embedding_dim = embedding_dim
        self.embedding_size = image_size // 8
        self.stage_channels = {f"stride{4 * 2**level}": width for level, width in enumerate(widths)}
        self.unfolded = nn.Conv2d(FOLD * FOLD, widths[0], 3, padding=1)
        self.down = nn.ModuleList(nn.Conv2d(fine, coarse, 2, stride=2) for fine, coarse in itertools.pairwise(widths))
        self.stages = nn.ModuleList(ResidualBlock(width) for width in widths)
        self.lateral = nn.ModuleList(nn.Conv2d(width, embedding_dim, 1) for width in widths[1:])
        self.neck = nn.Conv2d(embedding_dim, embedding_dim, 3, padding=1)

    def forward(self, images: torch.Tensor) -> FeatureMaps:
        maps = self.unfolded(functional.pixel_unshuffle(images.mean(dim=1, keepdim=True), FOLD))
        found: FeatureMaps = {}
        for level, (name, stage) in enumerate(zip(self.stage_channels, self.stages, strict=True)):
            maps = stage(self.down[level - 1](maps) if level else maps)
            found[name] = maps
        size = found["stride8"].shape[-2:]
        joined = self.lateral[0](found["stride8"])
        for name, lateral in zip(("stride16", "stride32"), self.lateral[1:], strict=True):
            joined = joined + functional.interpolate(lateral(found[name]), size=size, mode="bilinear")
        # The last convolution is not normalised: the mean of a normalised channel would tell the classifier nothing.
        found["image_embedding"] = self.neck(functional.silu(joined))
        return found
