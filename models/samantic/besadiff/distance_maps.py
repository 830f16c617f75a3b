"""Distances to a mask's border, computed once a mask and moved with the picture."""

from __future__ import annotations

import numpy as np
import torch
from scipy import ndimage
from torch.nn import functional


def signed_distance(mask: np.ndarray, side: int) -> torch.Tensor:
    """A mask (rows, cols) bool, stretched to a square -> distances (side, side) float16, positive inside.

    Measured from pixel centres to the border between pixels, in pixels of the square, so its sign is the mask. A mask
    that is empty or full has no border: its distances are all `side`, negative or positive.
    """
    square = functional.interpolate(torch.from_numpy(mask.astype(np.float32))[None, None], size=(2 * side, 2 * side))
    inside = square[0, 0].numpy() > 0
    if inside.all() or not inside.any():
        return torch.full((side, side), float(side if inside.all() else -side), dtype=torch.float16)
    distance = ndimage.distance_transform_edt(inside) - ndimage.distance_transform_edt(~inside)
    distance -= np.where(inside, 0.5, -0.5)
    fine = torch.from_numpy(distance.astype(np.float32))[None, None] / 2
    return functional.avg_pool2d(fine, 2)[0, 0].half()
