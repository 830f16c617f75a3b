"""The residual block: two weight-standardised convolutions, told the diffusion step (DermoSegDiff, fig. 2)."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

VARIANCE_FLOOR = 1e-5


class WeightStandardisedConv2d(nn.Conv2d):
    """A convolution whose filters have mean 0 and variance 1 (Qiao et al. 2019, arXiv 1903.10520)."""

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Maps (B, C, h, w) -> (B, D, h, w)."""
        weight = self.weight.float()
        mean = weight.mean(dim=(1, 2, 3), keepdim=True)
        variance = weight.var(dim=(1, 2, 3), keepdim=True, unbiased=False)
        standardised = (weight - mean) * torch.rsqrt(variance + VARIANCE_FLOOR)
        return functional.conv2d(maps, standardised.to(self.weight.dtype), self.bias, padding=self.padding)


def normalisation(groups: int, channels: int) -> nn.Module:
    """Group normalisation as published; with no groups every channel by itself (ours: learns in half the steps)."""
    return nn.GroupNorm(groups, channels) if groups else nn.InstanceNorm2d(channels, affine=True)


class ResidualBlock(nn.Module):
    """Maps of `channels_in` -> maps of `channels_out`; scaled and shifted by the step where `time_width` is given."""

    def __init__(self, channels_in: int, channels_out: int, groups: int, time_width: int | None = None) -> None:
        super().__init__()
        self.conv1 = WeightStandardisedConv2d(channels_in, channels_out, 3, padding=1)
        self.norm1 = normalisation(groups, channels_out)
        self.conv2 = WeightStandardisedConv2d(channels_out, channels_out, 3, padding=1)
        self.norm2 = normalisation(groups, channels_out)
        self.modulation = (
            None if time_width is None else nn.Sequential(nn.SiLU(), nn.Linear(time_width, 2 * channels_out))
        )
        self.shortcut = nn.Conv2d(channels_in, channels_out, 1) if channels_in != channels_out else nn.Identity()

    def forward(self, maps: torch.Tensor, time: torch.Tensor | None = None) -> torch.Tensor:
        """Maps (B, C, h, w) and the step's embedding (B, time_width) -> (B, D, h, w)."""
        inner = self.norm1(self.conv1(maps))
        if self.modulation is not None and time is not None:
            scale, shift = self.modulation(time)[..., None, None].chunk(2, dim=1)
            inner = inner * (scale + 1) + shift
        inner = functional.silu(inner)
        inner = functional.silu(self.norm2(self.conv2(inner)))
        return inner + self.shortcut(maps)
