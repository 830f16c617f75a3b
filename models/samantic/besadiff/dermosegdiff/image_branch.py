"""The image branch: what of the photograph the mask branch is shown in each level (DermoSegDiff, fig. 2)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from samantic.besadiff.dermosegdiff.attention import LinearAttention
from samantic.besadiff.dermosegdiff.config import DermoSegDiffConfig
from samantic.besadiff.dermosegdiff.resampling import downsample, same_size
from samantic.besadiff.dermosegdiff.residual_block import ResidualBlock
from samantic.besadiff.dermosegdiff.time_embedding import TIME_FACTOR, TimeEmbedding


@dataclass(frozen=True, eq=False)
class ImageFeatures:
    """What is computed once of B images, for every step and member.

    `stem` (B, C, h, w). Of a time-free branch also `levels`, the two maps (B, C, h, w) of each, and the `bottom`.
    """

    stem: torch.Tensor
    levels: tuple[tuple[torch.Tensor, torch.Tensor], ...] = ()
    bottom: torch.Tensor | None = None

    def expanded(self, members: int) -> ImageFeatures:
        """The same for `members` noisy masks of each image, image by image; no copy where there is one image."""
        return ImageFeatures(
            _expanded(self.stem, members),
            tuple((_expanded(first, members), _expanded(second, members)) for first, second in self.levels),
            None if self.bottom is None else _expanded(self.bottom, members),
        )


def _expanded(maps: torch.Tensor, members: int) -> torch.Tensor:
    if len(maps) == 1:
        return maps.expand(members, -1, -1, -1)
    return maps.repeat_interleave(members, dim=0)


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


class TimeFreeImageLevel(nn.Module):
    """One level that knows neither mask nor step (ours)."""

    def __init__(self, config: DermoSegDiffConfig, level: int) -> None:
        super().__init__()
        width = config.image_widths[max(level - 1, 0)]
        self.block1 = ResidualBlock(width, width, config.norm_groups)
        self.block2 = ResidualBlock(width, width, config.norm_groups)
        self.attention = LinearAttention(width, config.attention_heads, config.attention_head_width)
        self.down = _down(config, level)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Image maps -> the two maps that the mask branch is shown, and the image maps of the next level."""
        first = self.block1(image)
        second = self.block2(first)
        return first, second, self.down(second + self.attention(second))


class TimeFreeImageBranch(nn.Module):
    """A branch that is computed once an image and used at every step by every member (ours)."""

    def __init__(self, config: DermoSegDiffConfig) -> None:
        super().__init__()
        self.levels = nn.ModuleList(TimeFreeImageLevel(config, level) for level in range(len(config.image_widths)))

    def forward(self, stem: torch.Tensor) -> ImageFeatures:
        """The stem of B images -> the features of all levels."""
        maps, kept = stem, []
        for level in self.levels:
            first, second, maps = level(maps)
            kept.append((first, second))
        return ImageFeatures(stem, tuple(kept), maps)
