"""Shapes between two slices."""

from __future__ import annotations

import numpy as np
from scipy import ndimage


def signed_distance(mask: np.ndarray) -> np.ndarray:
    """Distance in pixels to the border of a mask (rows, cols), positive inside, negative outside."""
    inside = np.pad(mask, 1)
    distance = ndimage.distance_transform_edt(inside) - ndimage.distance_transform_edt(~inside)
    return distance[1:-1, 1:-1]


def shape_between(first: np.ndarray, second: np.ndarray, share: float) -> np.ndarray:
    """The mask (rows, cols) that is `share` (0 to 1) of the way from one to another (Raya and Udupa 1990).

    Both are laid over each other by their centres first, so that a thin shape that moves does not vanish half-way.
    """
    if not first.any() or not second.any():
        return first if share < 0.5 else second
    centres = np.array([ndimage.center_of_mass(mask) for mask in (first, second)])
    way = np.rint(centres[1] - centres[0]).astype(int)
    there = np.rint(share * way).astype(int)
    moved_first, moved_second = _moved(first, there), _moved(second, there - way)
    if not moved_first.any() or not moved_second.any():
        return first if share < 0.5 else second
    return (1 - share) * signed_distance(moved_first) + share * signed_distance(moved_second) > 0


def deepest_point(mask: np.ndarray) -> tuple[float, float]:
    """The pixel (x, y) of a mask that lies farthest from its border."""
    depth = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return float(x), float(y)


def _moved(mask: np.ndarray, by_yx: np.ndarray) -> np.ndarray:
    moved = np.zeros_like(mask)
    rows, columns = np.nonzero(mask)
    rows, columns = rows + by_yx[0], columns + by_yx[1]
    kept = (rows >= 0) & (rows < mask.shape[0]) & (columns >= 0) & (columns < mask.shape[1])
    moved[rows[kept], columns[kept]] = True
    return moved
