"""What the student's grids are made of beside mixers."""

from __future__ import annotations

import torch
from torch import nn

SLOPE = 0.01


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with instance normalisation, added to what came in: (B, C, H, W) -> the same shape."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.first_norm = nn.InstanceNorm2d(channels, affine=True)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.second_norm = nn.InstanceNorm2d(channels, affine=True)
        self.activation = nn.LeakyReLU(SLOPE, inplace=True)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        inner = self.activation(self.first_norm(self.first(maps)))
        return self.activation(self.second_norm(self.second(inner)) + maps)


class Down(nn.Module):
    """(B, C, H, W) -> (B, C', H / 2, W / 2)."""

    def __init__(self, channels: int, wider: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(channels, wider, 2, stride=2, bias=False)
        self.norm = nn.InstanceNorm2d(wider, affine=True)
        self.activation = nn.LeakyReLU(SLOPE, inplace=True)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return self.activation(self.norm(self.convolution(maps)))


class Up(nn.Module):
    """(B, C', H / 2, W / 2) and what the way down left there, (B, C, H, W) -> (B, C, H, W)."""

    def __init__(self, wider: int, channels: int) -> None:
        super().__init__()
        self.narrow = nn.Conv2d(wider, channels, 1, bias=False)
        self.enlarge = nn.Upsample(scale_factor=2, mode="bilinear")
        self.merge = nn.Conv2d(2 * channels, channels, 1, bias=False)
        self.norm = nn.InstanceNorm2d(channels, affine=True)
        self.activation = nn.LeakyReLU(SLOPE, inplace=True)

    def forward(self, maps: torch.Tensor, left: torch.Tensor) -> torch.Tensor:
        both = torch.cat([self.enlarge(self.narrow(maps)), left], dim=1)
        return self.activation(self.norm(self.merge(both)))
