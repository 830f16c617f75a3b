"""Composites changed at random, a batch at a time: they have no upright, and every lamp has its colour."""

from __future__ import annotations

import numpy as np
import torch


def varied(
    images: torch.Tensor, labels: torch.Tensor, random: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Flip, turn by quarters and recolour: images (B, 3, S, S) in 0 to 1, labels (B, S, S) -> the same. Source: ours.

    All else that may vary is drawn anew in every composite.
    """
    quarter = int(random.integers(4))
    images, labels = torch.rot90(images, quarter, (2, 3)), torch.rot90(labels, quarter, (1, 2))
    if random.random() < 0.5:
        images, labels = images.flip(3), labels.flip(2)
    gain = torch.from_numpy(random.normal(1, 0.06, (len(images), 3, 1, 1)).astype(np.float32))
    images = images * gain
    grey = images.mean(dim=1, keepdim=True)
    saturation = torch.from_numpy(random.uniform(0.6, 1.2, (len(images), 1, 1, 1)).astype(np.float32))
    colourless = torch.from_numpy((random.random((len(images), 1, 1, 1)) < 0.05).astype(np.float32))
    return (grey + (images - grey) * saturation * (1 - colourless)).clamp(0, 1), labels
