"""The eight ways a square photograph can lie on the table, none of which changes where its lesion is."""

from __future__ import annotations

import torch

ORIENTATIONS = 8


def turned(maps: torch.Tensor, orientation: int) -> torch.Tensor:
    """Maps (..., S, S) -> the same, mirrored over the diagonal from `orientation` 4 on, then turned by quarters."""
    mirrored = maps.transpose(-1, -2) if orientation % ORIENTATIONS >= 4 else maps
    return torch.rot90(mirrored, orientation % 4, dims=(-2, -1))


def turned_back(maps: torch.Tensor, orientation: int) -> torch.Tensor:
    """What `turned` made of maps (..., S, S) -> those maps."""
    upright = torch.rot90(maps, -(orientation % 4), dims=(-2, -1))
    return upright.transpose(-1, -2) if orientation % ORIENTATIONS >= 4 else upright
