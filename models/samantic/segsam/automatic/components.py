"""Which connected parts of a structure are plausible in three dimensions."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

LARGE_ENOUGH = 0.25
"""Of a structure's largest part: vertebrae and vessels have several, a stray island is far smaller (ours)."""

TOUCHING = np.ones((3, 3, 3), bool)


def islands_in(labels: np.ndarray, large_enough: float = LARGE_ENOUGH) -> np.ndarray:
    """(I, J, K) bool: voxels of `labels` in parts that are small beside their structure's largest; corners touch."""
    islands = np.zeros(labels.shape, bool)
    for value, around in enumerate(ndimage.find_objects(labels), start=1):
        if around is None:
            continue
        parts, count = ndimage.label(labels[around] == value, TOUCHING)
        if count > 1:
            sizes = np.bincount(parts.ravel())
            sizes[0] = sizes[1:].max()
            islands[around] |= (sizes < large_enough * sizes[0])[parts]
    return islands
