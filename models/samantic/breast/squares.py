"""Pictures as the network reads them: grey, stretched to a square, between their own darkest and brightest."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

PERCENTILES = (0.5, 99.5)


def grey_square(image: np.ndarray, side: int) -> torch.Tensor:
    """A picture (rows, cols, 3) uint8 -> (1, side, side) float32 in 0 to 1. ValueError for another kind of array.

    Burned-in colours count as their mean. Resampled as 8-bit numbers, so that a large picture needs little memory.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or 0 in image.shape:
        raise ValueError(f"A picture must be (rows, cols, 3) uint8, not {image.shape} {image.dtype}.")
    pixels = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))
    if pixels.shape[1:] != (side, side):
        pixels = functional.interpolate(pixels[None], size=(side, side), mode="bilinear", antialias=True)[0]
    grey = pixels.float().mean(dim=0, keepdim=True)
    low, high = np.percentile(grey.numpy(), PERCENTILES)
    return ((grey - float(low)) / max(float(high - low), 1.0)).clamp(0, 1)


def mask_square(mask: np.ndarray, side: int) -> torch.Tensor:
    """A mask (rows, cols) bool -> the share of each cell that it covers, (1, side, side) float32."""
    share = torch.from_numpy(np.ascontiguousarray(mask, dtype=np.uint8) * np.uint8(255))[None, None]
    if share.shape[-2:] != (side, side):
        share = functional.interpolate(share, size=(side, side), mode="bilinear", antialias=True)
    return share[0].float() / 255


def has_colours(image: np.ndarray) -> bool:
    """Whether more than half of a picture (rows, cols, 3) uint8 is plainly coloured: no ultrasound is, Doppler or not.

    Source: ours; grey pictures with burned-in colours stay far below.
    """
    spread = image.max(axis=2).astype(np.int16) - image.min(axis=2)
    return float((spread > COLOURED).mean()) > 0.5


COLOURED = 24
"""Grey levels between the channels from which a pixel counts as coloured; compression alone makes a few."""
