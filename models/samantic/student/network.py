"""The student: a U-Net on a folded picture, with Mamba mixers on its coarse grids."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
from torch import nn

from samantic.student.blocks import Down, ResidualBlock, Up
from samantic.student.config import StudentConfig
from samantic.student.mixer import MambaMixer


@dataclass(frozen=True, eq=False)
class StudentMaps:
    """`logits` (B, 1 + classes, S, S), background first; `features`, what the coarsest grid holds, (B, D, s, s);
    `pixel_features`, what the finest grid holds before the logits, (B, C, S / fold, S / fold)."""

    logits: torch.Tensor
    features: torch.Tensor
    pixel_features: torch.Tensor


class MambaStudent(nn.Module):
    """Pictures (B, 3, S, S) in 0 to 1 -> `StudentMaps`; S is a multiple of `config.divisor`.

    Every pixel costs too much to be a token: pictures are folded first, and the mixers stand where a token is a region.
    ValueError for pictures of another shape. Source: ours.
    """

    def __init__(self, config: StudentConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or StudentConfig()
        widths = config.widths
        self.stem = _folding_stem(config)
        self.down_grids = nn.ModuleList(
            _grid(config, width, count) for width, count in zip(widths, config.mixers, strict=True)
        )
        self.downs = nn.ModuleList(Down(fine, coarse) for fine, coarse in itertools.pairwise(widths))
        self.ups = nn.ModuleList(Up(coarse, fine) for fine, coarse in itertools.pairwise(widths))
        self.up_grids = nn.ModuleList(ResidualBlock(width) for width in widths[:-1])
        self.out = nn.Conv2d(widths[0], (1 + len(config.class_names)) * config.fold**2, 1)
        self.unfold = nn.PixelShuffle(config.fold)

    def forward(self, pictures: torch.Tensor) -> StudentMaps:
        if (
            pictures.ndim != 4
            or pictures.shape[1] != 3
            or any(side % self.config.divisor for side in pictures.shape[2:])
        ):
            raise ValueError(
                f"Pictures must be (B, 3, H, W) with sides that are multiples of {self.config.divisor}, not "
                f"{tuple(pictures.shape)}."
            )
        maps = self.stem(pictures - 0.5)
        left = []
        for level, grid in enumerate(self.down_grids):
            maps = grid(maps)
            if level < len(self.downs):
                left.append(maps)
                maps = self.downs[level](maps)
        features = maps
        for level in reversed(range(len(self.ups))):
            maps = self.up_grids[level](self.ups[level](maps, left[level]))
        return StudentMaps(self.unfold(self.out(maps)), features, maps)


def _folding_stem(config: StudentConfig) -> nn.Sequential:
    folded = 3 * config.fold**2
    return nn.Sequential(nn.PixelUnshuffle(config.fold), nn.Conv2d(folded, config.widths[0], 3, padding=1))


class _Mixed(nn.Module):
    """A mixer beside the way straight on."""

    def __init__(self, mixer: MambaMixer) -> None:
        super().__init__()
        self.mixer = mixer

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return maps + self.mixer(maps)


def _grid(config: StudentConfig, width: int, mixers: int) -> nn.Sequential:
    mixer = {"expansion": config.expansion, "head_width": config.head_width, "state": config.state}
    return nn.Sequential(ResidualBlock(width), *(_Mixed(MambaMixer(width, **mixer)) for _ in range(mixers)))
