"""The crop search as one would write it first: every window is cut out and its pixels are counted.

What the fast search must agree with, to the last bit.
"""

from __future__ import annotations

import numpy as np

from samantic.skinphoto.classes import BACKGROUND, LESION
from samantic.skinphoto.crop_search import Crop, CropSearch


def crops_by_brute_force(labels: np.ndarray, search: CropSearch) -> tuple[Crop, ...]:
    """What `search.crops(labels)` returns, window by window."""
    is_skin, is_lesion = labels != BACKGROUND, labels == LESION
    qualifying = []
    for side in search.sides_of(labels.shape):
        skin, lesion = (np.zeros((labels.shape[0] - side + 1, labels.shape[1] - side + 1), np.int32) for _ in range(2))
        for top, left in np.ndindex(*skin.shape):
            window = slice(top, top + side), slice(left, left + side)
            skin[top, left], lesion[top, left] = np.count_nonzero(is_skin[window]), np.count_nonzero(is_lesion[window])
        qualifying.append(search.qualifying(side, skin, lesion))
    return search.best(qualifying)
