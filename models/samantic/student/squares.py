"""Pictures, label maps and probabilities to and from the student's square."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

ORIENTATIONS = 8
UPRIGHT, LEFT_RIGHT = 0, 7
"""Two of them: as it is, and mirrored sideways."""


def stretched(picture: np.ndarray, side: int) -> torch.Tensor:
    """A picture (rows, cols, 3) uint8 -> (3, side, side) uint8."""
    pixels = torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))
    if pixels.shape[1:] == (side, side):
        return pixels
    return functional.interpolate(pixels[None], size=(side, side), mode="bilinear", antialias=True)[0]


def stretched_labels(labels: np.ndarray, side: int, count: int) -> torch.Tensor:
    """Labels (rows, cols) with values below `count` -> (side, side) uint8: of each pixel what most of it shows."""
    shares = functional.one_hot(torch.from_numpy(labels.astype(np.int64)), count).permute(2, 0, 1)[None].float()
    small = functional.interpolate(shares, size=(side, side), mode="bilinear", antialias=True)
    return small[0].argmax(dim=0).to(torch.uint8)


def unstretched(shares: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    """Shares (B, C, side, side) -> (B, C, rows, columns)."""
    return functional.interpolate(shares, size=(rows, columns), mode="bilinear", antialias=True)


def turned(maps: torch.Tensor, orientation: int) -> torch.Tensor:
    """Maps (..., S, S) -> the same, mirrored over the diagonal from `orientation` 4 on, then turned by quarters."""
    mirrored = maps.transpose(-1, -2) if orientation % ORIENTATIONS >= 4 else maps
    return torch.rot90(mirrored, orientation % 4, dims=(-2, -1))


def turned_back(maps: torch.Tensor, orientation: int) -> torch.Tensor:
    """What `turned` made of maps (..., S, S) -> those maps."""
    upright = torch.rot90(maps, -(orientation % 4), dims=(-2, -1))
    return upright.transpose(-1, -2) if orientation % ORIENTATIONS >= 4 else upright
