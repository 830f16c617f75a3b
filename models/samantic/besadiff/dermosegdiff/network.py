"""DermoSegDiff: a noisy mask, the photograph and the step -> the noise, or the clean mask (Bozorgpour et al. 2023)."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from samantic.besadiff.dermosegdiff.config import DermoSegDiffConfig
from samantic.besadiff.dermosegdiff.image_branch import CoupledImageBranch, ImageFeatures, TimeFreeImageBranch
from samantic.besadiff.dermosegdiff.image_stem import image_stem
from samantic.besadiff.dermosegdiff.mask_branch import Bottleneck, MaskDecoderLevel, MaskEncoderLevel
from samantic.besadiff.dermosegdiff.residual_block import ResidualBlock
from samantic.besadiff.dermosegdiff.time_embedding import TIME_FACTOR, TimeEmbedding


class DermoSegDiff(nn.Module):
    """The two-branch network of https://arxiv.org/abs/2308.02959, with our folding and our time-free image branch."""

    def __init__(self, config: DermoSegDiffConfig) -> None:
        super().__init__()
        self.config = config
        width, image_width = config.mask_widths[0], config.image_widths[0]
        # A time-free image branch has a guess of its own, which the mask branch sees beside the noisy mask.
        shown = 2 if config.image_branch == "time_free" else 1
        self.mask_stem = nn.Conv2d(shown * config.mask_patch**2, width, 1)
        self.image_stem = image_stem(config)
        self.time = TimeEmbedding(config.mask_width)
        branch = TimeFreeImageBranch if config.image_branch == "time_free" else CoupledImageBranch
        self.image_branch = branch(config)
        levels = range(len(config.mask_widths))
        self.encoder = nn.ModuleList(MaskEncoderLevel(config, level) for level in levels)
        self.bottleneck = Bottleneck(config)
        self.decoder = nn.ModuleList(MaskDecoderLevel(config, level) for level in reversed(levels))
        self.last = ResidualBlock(2 * width + image_width, width, config.norm_groups, TIME_FACTOR * config.mask_width)
        self.out = nn.Conv2d(width, config.mask_patch**2, 1)

    def image_features(self, images: torch.Tensor) -> ImageFeatures:
        """Photographs (B, 3, image_side, image_side) in 0 to 1 -> what is computed of them once."""
        # A photograph's brightness and tint say nothing about the lesion's border; source: ours.
        mean = images.mean(dim=(1, 2, 3), keepdim=True)
        deviation = images.std(dim=(1, 2, 3), keepdim=True).clamp_min(0.02)
        return self.image_branch(self.image_stem((images - mean) / deviation))

    def forward(self, noisy: torch.Tensor, features: ImageFeatures, steps: torch.Tensor) -> torch.Tensor:
        """Noisy masks (B, 1, mask_side, mask_side) at `steps` (B,) -> noise or clean masks, (B, 1, ., .) likewise."""
        shown = noisy if features.guess is None else torch.cat([noisy, torch.tanh(features.guess / 2)], dim=1)
        stem = mask = self.mask_stem(functional.pixel_unshuffle(shown, self.config.mask_patch))
        time = self.time(steps)
        image = features.stem
        coupled = self.image_branch if isinstance(self.image_branch, CoupledImageBranch) else None
        image_time = None if coupled is None else coupled.time(steps)
        kept: list[tuple[tuple[torch.Tensor, ...], tuple[torch.Tensor, ...]]] = []
        for index, level in enumerate(self.encoder):
            mask1 = level.block1(mask, time)  # type: ignore[operator]
            if coupled is not None:
                image1, image2 = coupled.levels[index].look(image, mask1, image_time)  # type: ignore[operator]
            else:
                image1, image2 = features.levels[index]
            mask2 = level.multiplied(mask1, image2, time)  # type: ignore[operator]
            kept.append(((mask1, image1), (mask2, image2)))
            mask = level.down(mask2)  # type: ignore[operator]
            if coupled is not None:
                image = coupled.levels[index](image2, mask2)
        bottom = image if features.bottom is None else features.bottom
        mask = self.bottleneck(mask, bottom, time)
        for level in self.decoder:
            first, second = kept.pop()
            mask = level(mask, second, first, time)
        mask = self.last(torch.cat([mask, stem, features.stem], dim=1), time)
        return functional.pixel_shuffle(self.out(mask), self.config.mask_patch)
