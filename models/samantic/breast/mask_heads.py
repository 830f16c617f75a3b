"""From feature maps to the lesion's mask: the light head, and the decoder with skips."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from samantic.breast.encoders import PyramidLevel
from samantic.breast.residual_block import ResidualBlock
from samantic.sam.image_encoder import FeatureMaps


class ConvHead(nn.Module):
    """Head A: 3x3 convolutions to 128 and 64 channels, one 1x1, enlarged to the input (method's figure).

    `image_embedding` (B, C, h, w) -> mask logits (B, 1, S, S).
    """

    def __init__(self, embedding_dim: int, image_size: int) -> None:
        super().__init__()
        self.image_size = image_size
        self.layers = nn.Sequential(
            nn.Conv2d(embedding_dim, 128, 3, padding=1),
            nn.InstanceNorm2d(128, affine=True),
            nn.SiLU(),
            nn.Conv2d(128, 64, 3, padding=1),
            nn.InstanceNorm2d(64, affine=True),
            nn.SiLU(),
            nn.Conv2d(64, 1, 1),
        )

    def forward(self, maps: FeatureMaps) -> torch.Tensor:
        logits = self.layers(maps["image_embedding"])
        return functional.interpolate(logits, size=(self.image_size, self.image_size), mode="bilinear")


class UNetDecoder(nn.Module):
    """Head B: transposed convolutions from level to level, the encoder's map of that level added on the way.

    Feature maps -> mask logits (B, 1, S, S); the finest level's cells are unfolded to pixels.
    """

    def __init__(self, levels: Sequence[PyramidLevel]) -> None:
        super().__init__()
        self._names = [level.name for level in levels]
        coarsest, *finer = levels
        widths = [coarsest.width, *(level.width for level in finer)]
        self.entry = nn.Conv2d(coarsest.channels, coarsest.width, 1)
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(before, after, 2, stride=2) for before, after in itertools.pairwise(widths)
        )
        self.skips = nn.ModuleList(nn.Conv2d(level.channels, level.width, 1) for level in finer)
        self.blocks = nn.ModuleList(ResidualBlock(level.width) for level in finer)
        self._cell = levels[-1].stride
        self.out = nn.Conv2d(widths[-1], self._cell * self._cell, 1)

    def forward(self, maps: FeatureMaps) -> torch.Tensor:
        found = self.entry(maps[self._names[0]])
        for name, up, skip, block in zip(self._names[1:], self.up, self.skips, self.blocks, strict=True):
            found = up(found)
            added = skip(maps[name])
            if added.shape[-2:] != found.shape[-2:]:
                added = functional.interpolate(added, size=found.shape[-2:], mode="bilinear")
            found = block(found + added)
        return functional.pixel_shuffle(self.out(found), self._cell)
