"""The image branch: what of the photograph the mask branch is shown in each level (DermoSegDiff, fig. 2)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from samantic.besadiff.dermosegdiff.attention import LinearAttention
from samantic.besadiff.dermosegdiff.config import DermoSegDiffConfig
from samantic.besadiff.dermosegdiff.resampling import downsample, same_size
from samantic.besadiff.dermosegdiff.residual_block import ResidualBlock
from samantic.besadiff.dermosegdiff.time_embedding import TIME_FACTOR, TimeEmbedding


@dataclass(frozen=True, eq=False)
class ImageFeatures:
    """What is computed once of B images, for every step and member.

    `stem` (B, C, h, w). Of a time-free branch also `levels`, the two maps (B, C, h, w) of each, the `bottom`, and the
    `guess`: mask logits (B, 1, mask_side, mask_side) from the photograph alone.
    """

    stem: torch.Tensor
    levels: tuple[tuple[torch.Tensor, torch.Tensor], ...] = ()
    bottom: torch.Tensor | None = None
    guess: torch.Tensor | None = None

    def of_members(self, images: torch.Tensor) -> ImageFeatures:
        """The features for M noisy masks, of which mask m belongs to image `images[m]` (M,); no copy of one image."""
        return ImageFeatures(
            _of_members(self.stem, images),
            tuple((_of_members(first, images), _of_members(second, images)) for first, second in self.levels),
            None if self.bottom is None else _of_members(self.bottom, images),
            None if self.guess is None else _of_members(self.guess, images),
        )


def _of_members(maps: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    return maps.expand(len(images), -1, -1, -1) if len(maps) == 1 else maps[images]


def _down(config: DermoSegDiffConfig, level: int) -> nn.Module:
    last = level == len(config.image_widths) - 1
    channels = (config.image_widths[max(level - 1, 0)], config.image_widths[level])
    return same_size(*channels) if last else downsample(*channels)


class CoupledImageLevel(nn.Module):
    """One level as published: its features depend on the noisy mask and the step."""

    def __init__(self, config: DermoSegDiffConfig, level: int) -> None:
        super().__init__()
        width, mask_width = config.image_widths[max(level - 1, 0)], config.mask_widths[max(level - 1, 0)]
        time_width, heads = TIME_FACTOR * config.image_width, (config.attention_heads, config.attention_head_width)
        self.block1 = ResidualBlock(width, width, config.norm_groups, time_width)
        self.block2 = ResidualBlock(width + mask_width, width, config.norm_groups, time_width)
        self.attention = LinearAttention(width + mask_width, *heads, channels_out=width)
        self.down = _down(config, level)

    def look(self, image: torch.Tensor, mask: torch.Tensor, time: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Maps of the image and of the mask -> the two maps that the mask branch is shown."""
        first = self.block1(image, time)
        return first, self.block2(torch.cat([mask, first], dim=1), time)

    def forward(self, second: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """The second map and what the mask branch made of it -> the image maps of the next level."""
        return self.down(self.attention(torch.cat([mask, second], dim=1)))


class CoupledImageBranch(nn.Module):
    """The branch as published; only its stem can be kept for later steps."""

    def __init__(self, config: DermoSegDiffConfig) -> None:
        super().__init__()
        self.time = TimeEmbedding(config.image_width)
        self.levels = nn.ModuleList(CoupledImageLevel(config, level) for level in range(len(config.image_widths)))

    def forward(self, stem: torch.Tensor) -> ImageFeatures:
        """The stem of B images -> what can be kept of them."""
        return ImageFeatures(stem)


class TimeFreeImageBranch(nn.Module):
    """A branch that knows neither mask nor step: computed once an image, used at every step by every member (ours).

    The first block of each level is met on the way down, the second on the way back up, so that what the mask branch
    is multiplied with has seen the whole photograph at the level's own sharpness. From there it also guesses the mask.
    """

    def __init__(self, config: DermoSegDiffConfig) -> None:
        super().__init__()
        widths, groups = config.image_widths, config.norm_groups
        pairs = list(pairwise(widths))
        self.first = nn.ModuleList(ResidualBlock(width, width, groups) for width in widths)
        self.down = nn.ModuleList(downsample(above, below) for above, below in pairs)
        self.coarsest = ResidualBlock(widths[-1], widths[-1], groups)
        self.up = nn.ModuleList(_widened(below, above) for above, below in pairs)
        self.second = nn.ModuleList(ResidualBlock(2 * above, above, groups) for above, _ in pairs)
        self.mask_patch = config.mask_patch
        self.to_guess = nn.Conv2d(widths[0], config.mask_patch**2, 1)

    def forward(self, stem: torch.Tensor) -> ImageFeatures:
        """The stem of B images -> the features of all levels and the guess."""
        maps, first = stem, []
        for level, block in enumerate(self.first):
            maps = block(maps if level == 0 else self.down[level - 1](maps))
            first.append(maps)
        maps = bottom = self.coarsest(maps)
        second = [maps]
        for level in reversed(range(len(self.second))):
            maps = self.second[level](torch.cat([self.up[level](maps), first[level]], dim=1))
            second.insert(0, maps)
        guess = functional.pixel_shuffle(self.to_guess(maps), self.mask_patch)
        return ImageFeatures(stem, tuple(zip(first, second, strict=True)), bottom, guess)


def _widened(channels_in: int, channels_out: int) -> nn.Module:
    """Maps (B, C, h, w) -> (B, D, 2h, 2w); mixed before they are widened, which costs a quarter."""
    return nn.Sequential(nn.Conv2d(channels_in, channels_out, 1), nn.Upsample(scale_factor=2, mode="nearest"))
