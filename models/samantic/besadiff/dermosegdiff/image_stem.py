"""The photograph's first maps: folded as they are, or halved by convolutions."""

from __future__ import annotations

import torch
from torch import nn

from samantic.besadiff.dermosegdiff.config import DermoSegDiffConfig
from samantic.besadiff.dermosegdiff.residual_block import ResidualBlock, normalisation


def image_stem(config: DermoSegDiffConfig) -> nn.Module:
    """Photographs (B, 3, image_side, image_side) -> maps (B, image_width, h, h) on the common grid."""
    if config.stem_width == 0:
        folded = 3 * config.image_patch**2
        return nn.Sequential(nn.PixelUnshuffle(config.image_patch), nn.Conv2d(folded, config.image_width, 1))
    return ConvolutionalStem(config)


class ConvolutionalStem(nn.Sequential):
    """The side is halved by a convolution at a time, with a residual block between two of them (ours).

    A folded photograph looks another one to the network when it moves by a pixel. With convolutions the network learns
    no faster, but does better on photographs that it has not seen.
    """

    def __init__(self, config: DermoSegDiffConfig) -> None:
        stages: list[nn.Module] = []
        width, groups = 3, config.norm_groups
        for _ in range(config.image_patch.bit_length() - 2):
            stages += [
                nn.Conv2d(width, config.stem_width, 3, stride=2, padding=1),
                normalisation(groups, config.stem_width),
                nn.SiLU(),
                ResidualBlock(config.stem_width, config.stem_width, groups),
            ]
            width = config.stem_width
        super().__init__(*stages, nn.Conv2d(width, config.image_width, 3, stride=2, padding=1))

    def forward(self, photographs: torch.Tensor) -> torch.Tensor:
        """Photographs (B, 3, S, S) -> maps (B, image_width, S / image_patch, S / image_patch)."""
        return super().forward(photographs)
