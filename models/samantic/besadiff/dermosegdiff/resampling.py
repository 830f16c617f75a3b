"""Half and twice the side (DermoSegDiff, fig. 2)."""

from __future__ import annotations

from torch import nn


def downsample(channels_in: int, channels_out: int) -> nn.Module:
    """Maps (B, C, h, w) -> (B, D, h/2, w/2): pixels are folded into channels and mixed, none is lost."""
    return nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(4 * channels_in, channels_out, 1))


def upsample(channels_in: int, channels_out: int) -> nn.Module:
    """Maps (B, C, h, w) -> (B, D, 2h, 2w)."""
    return nn.Sequential(
        nn.Upsample(scale_factor=2, mode="nearest"), nn.Conv2d(channels_in, channels_out, 3, padding=1)
    )


def same_size(channels_in: int, channels_out: int) -> nn.Module:
    """What stands in the place of the other two in the last level."""
    return nn.Conv2d(channels_in, channels_out, 3, padding=1)
