"""The mask branch: levels of the encoder, the bottleneck, levels of the decoder (DermoSegDiff, fig. 2)."""

from __future__ import annotations

import torch
from torch import nn

from samantic.besadiff.dermosegdiff.attention import LinearAttention, SelfAttention
from samantic.besadiff.dermosegdiff.config import DermoSegDiffConfig
from samantic.besadiff.dermosegdiff.resampling import downsample, same_size, upsample
from samantic.besadiff.dermosegdiff.residual_block import ResidualBlock
from samantic.besadiff.dermosegdiff.time_embedding import TIME_FACTOR


class MaskEncoderLevel(nn.Module):
    """The noisy mask's maps, multiplied with what the image branch shows."""

    def __init__(self, config: DermoSegDiffConfig, level: int) -> None:
        super().__init__()
        width, image_width = config.mask_widths[max(level - 1, 0)], config.shown_widths[level]
        time_width = TIME_FACTOR * config.mask_width
        self.block1 = ResidualBlock(width, width, config.norm_groups, time_width)
        self.gate = nn.Conv2d(image_width, width, 1)
        self.block2 = ResidualBlock(width, width, config.norm_groups, time_width)
        self.attention = _attention(config, level, width)
        last = level == len(config.mask_widths) - 1
        self.down = (same_size if last else downsample)(width, config.mask_widths[level])

    def multiplied(self, mask: torch.Tensor, image: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
        """Maps of the mask after the first block, and the image branch's second map -> the mask's second map."""
        maps = self.block2(self.gate(image) * mask, time)
        return maps if self.attention is None else maps + self.attention(maps)


class MaskDecoderLevel(nn.Module):
    """The way back up: what the encoder kept of the level is looked at again."""

    def __init__(self, config: DermoSegDiffConfig, level: int) -> None:
        super().__init__()
        here, width = config.mask_widths[level], config.mask_widths[max(level - 1, 0)]
        kept = width + config.shown_widths[level]
        time_width = TIME_FACTOR * config.mask_width
        self.block1 = ResidualBlock(here + kept, here, config.norm_groups, time_width)
        self.block2 = ResidualBlock(here + kept, here, config.norm_groups, time_width)
        self.attention = _attention(config, level, here)
        self.up = (upsample if level else same_size)(here, width)

    def forward(
        self,
        mask: torch.Tensor,
        second: tuple[torch.Tensor, ...],
        first: tuple[torch.Tensor, ...],
        time: torch.Tensor,
    ) -> torch.Tensor:
        """Maps of the level below and what the encoder kept, (mask, image) twice -> maps of the level above."""
        maps = self.block1(torch.cat([mask, *second], dim=1), time)
        maps = self.block2(torch.cat([maps, *first], dim=1), time)
        return self.up(maps if self.attention is None else maps + self.attention(maps))


class Bottleneck(nn.Module):
    """The coarsest grid, where every place looks at every other."""

    def __init__(self, config: DermoSegDiffConfig) -> None:
        super().__init__()
        width, image_width = config.mask_widths[-1], config.image_widths[-1]
        time_width = TIME_FACTOR * config.mask_width
        heads = (config.attention_heads, config.attention_head_width)
        self.block1 = ResidualBlock(width + image_width, width, config.norm_groups, time_width)
        self.self_attention = SelfAttention(width, *heads)
        self.linear_attention = LinearAttention(width, *heads)
        self.block2 = ResidualBlock(2 * width, width, config.norm_groups, time_width)

    def forward(self, mask: torch.Tensor, image: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
        """The coarsest maps of both branches -> maps of the mask."""
        maps = self.block1(torch.cat([mask, image], dim=1), time)
        seen = self.self_attention(maps) + self.linear_attention(maps)
        return self.block2(torch.cat([maps, seen], dim=1), time)


def _attention(config: DermoSegDiffConfig, level: int, width: int) -> LinearAttention | None:
    if level < config.mask_attention_from:
        return None
    return LinearAttention(width, config.attention_heads, config.attention_head_width)
