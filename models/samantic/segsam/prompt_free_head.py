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
    gives no finer one; borders are drawn by whoever is prompted.
    """

    def __init__(self, num_classes: int, embedding_dim: int, skip_channels: Mapping[str, int], width: int) -> None:
        super().__init__()
        self.coarse = nn.Sequential(_block(embedding_dim, 2 * width), _block(2 * width, 2 * width))
        self.whole = nn.Linear(2 * width, 2 * width)
        channels4, channels2 = skip_channels.get("skip_stride4", 0), skip_channels.get("skip_stride2", 0)
        self.from_stride2 = nn.Conv2d(channels2, width, 2, stride=2) if channels2 else None
        channels = 2 * width + channels4 + (width if channels2 else 0)
        self.fine = nn.Sequential(_block(channels, width), _block(width, width))
        self.classes = nn.Conv2d(width, num_classes + 1, 1)

    def forward(self, features: FeatureMaps) -> torch.Tensor:
        """Feature maps of B pictures -> logits (B, K + 1, h, w), channel 0 is background."""
        coarse = self.coarse(features["image_embedding"])
        coarse = coarse + self.whole(coarse.mean(dim=(2, 3)))[:, :, None, None]
        seen = [coarse]
        if "skip_stride4" in features:
            skip = features["skip_stride4"]
            seen = [functional.interpolate(coarse, size=skip.shape[-2:], mode="bilinear"), skip]
            if self.from_stride2 is not None:
                seen.append(self.from_stride2(features["skip_stride2"]))
        logits: torch.Tensor = self.classes(self.fine(torch.cat(seen, dim=1)))
        return logits


def _block(channels_in: int, channels_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, 3, padding=1), nn.GroupNorm(8, channels_out), nn.LeakyReLU(0.1)
    )
