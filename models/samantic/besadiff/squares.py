"""Photographs as squares."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional


def stretched(image: np.ndarray, side: int) -> torch.Tensor:
    """A photograph (rows, cols, 3) uint8 -> (3, side, side) uint8, stretched as the training pictures are.

    Resampled as 8-bit numbers: a photograph of 24 million pixels needs an eighth of the memory then.
    """
    pixels = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))
    if pixels.shape[1:] == (side, side):
        return pixels
    return functional.interpolate(pixels[None], size=(side, side), mode="bilinear", antialias=True)[0]
