"""Which connected parts of a structure are plausible in three dimensions."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

TOUCHING = np.ones((3, 3, 3), bool)


def islands_in(labels: np.ndarray, share_of_largest: float) -> np.ndarray:
    """(I, J, K) bool: voxels in parts smaller than that share of their structure's largest; corners touch."""
    islands = np.zeros(labels.shape, bool)
    for value, around in enumerate(ndimage.find_objects(labels), start=1):
        if around is None:
            continue
        parts, count = ndimage.label(labels[around] == value, TOUCHING)
        if count > 1:
            sizes = np.bincount(parts.ravel())
            sizes[0] = sizes[1:].max()
            islands[around] |= (sizes < share_of_largest * sizes[0])[parts]
    return islands
