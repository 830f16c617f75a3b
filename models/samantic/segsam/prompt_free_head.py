"""Where every class is, without a prompt: feature maps of the frozen encoder -> one map a class (ours)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn import functional

from samantic.sam.image_encoder import FeatureMaps


class PromptFreeHead(nn.Module):
    """A small convolutional decoder over SEG-SAM's image encoder (ours).

    The automatic mode asks it where to prompt. It sees nothing but feature maps, which can be kept: to learn from new
    labels takes no encoder pass. The maps have a quarter of the input's side, or the embedding's where the encoder
    gives no finer one; borders are drawn by whoever is prompted. Instance normalisation, as in nnU-Net, is what makes
    it learn from few labels in seconds: with groups of channels it took several times as long.
    """

    def __init__(self, num_classes: int, embedding_dim: int, skip_channels: Mapping[str, int], width: int) -> None:
        super().__init__()
        self.coarse = nn.Sequential(_block(embedding_dim, 2 * width), _block(2 * width, 2 * width))
        self.surroundings = _block(2 * width, 2 * width)
        self.narrow = nn.Conv2d(4 * width, width, 1)
        channels4, channels2 = skip_channels.get("skip_stride4", 0), skip_channels.get("skip_stride2", 0)
        self.from_stride2 = nn.Conv2d(channels2, channels2, 2, stride=2) if channels2 else None
        self.fine = nn.Sequential(_block(width + channels4 + channels2, width), _block(width, width))
        self.classes = nn.Conv2d(width, num_classes + 1, 1)

    def forward(self, features: FeatureMaps) -> torch.Tensor:
        """Feature maps of B pictures -> logits (B, K + 1, h, w), channel 0 is background."""
        coarse = self.coarse(features["image_embedding"])
        around = self.surroundings(functional.avg_pool2d(coarse, 4))
        around = functional.interpolate(around, size=coarse.shape[-2:], mode="bilinear")
        seen = [self.narrow(torch.cat([coarse, around], dim=1))]
        if self.from_stride2 is not None:
            skip = features["skip_stride4"]
            finer = functional.interpolate(seen[0], size=skip.shape[-2:], mode="bilinear")
            seen = [finer, skip, self.from_stride2(features["skip_stride2"])]
        logits: torch.Tensor = self.classes(self.fine(torch.cat(seen, dim=1)))
        return logits


def _block(channels_in: int, channels_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, 3, padding=1),
        nn.InstanceNorm2d(channels_out, affine=True),
        nn.LeakyReLU(0.1),
    )
