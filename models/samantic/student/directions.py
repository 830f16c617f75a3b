"""The four ways in which a scan reads a grid: along rows and along columns, each there and back."""

from __future__ import annotations

import torch

DIRECTIONS = 4


def unrolled(maps: torch.Tensor) -> torch.Tensor:
    """Maps (B, C, H, W) -> the same places in the order of each direction, (DIRECTIONS, B, H * W, C)."""
    return _in_order(*[maps] * DIRECTIONS)


def unrolled_apart(maps: torch.Tensor) -> torch.Tensor:
    """Maps (B, DIRECTIONS * C, H, W), one for each direction, in the order of theirs: (DIRECTIONS, B, H * W, C)."""
    return _in_order(*maps.chunk(DIRECTIONS, dim=1))


def rolled_up(sequences: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Sequences (DIRECTIONS, B, height * width, C) -> the sum of what they say about each place, (B, C, H, W)."""
    there, back, down, up = sequences
    rows = (there + back.flip(1)).transpose(1, 2).unflatten(2, (height, width))
    columns = (down + up.flip(1)).transpose(1, 2).unflatten(2, (width, height))
    return rows + columns.transpose(2, 3)


def _in_order(there: torch.Tensor, back: torch.Tensor, down: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
    along_columns = (down.transpose(2, 3), up.transpose(2, 3))
    there, back, down, up = (maps.flatten(2).transpose(1, 2) for maps in (there, back, *along_columns))
    return torch.stack([there, back.flip(1), down, up.flip(1)])
