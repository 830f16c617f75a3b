"""What BESA-Diff says about a photograph."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy import ndimage
from torch.nn import functional

from samantic.evaluation import BorderDistances

MEMBERS_AGREE_WITHIN = 1.0
"""Pixels of the network's grid (two of a picture of 256) that members' borders may lie apart and still agree."""
SMALLEST_PART = 0.1
"""A component smaller than this share of the largest is no lesion of its own (ours)."""


@dataclass(frozen=True, eq=False)
class LesionAnswer:
    """The members' agreement about one photograph (rows, cols).

    `mask` bool; `probability` float32 in 0 to 1, the mean of the members' masks; `variance` float32, theirs at each
    pixel, at most .25. `boundary_confidence` in 0 to 1: the mean boundary F of each member's border against that of
    the mask, 0 where there is no mask. `mean_variance`: of the pixels around the mask's border.
    `refined`: a refiner has had its say about the mask and its probability; the other values are the members' still.
    """

    mask: np.ndarray
    probability: np.ndarray
    variance: np.ndarray
    boundary_confidence: float
    mean_variance: float
    refined: bool = False

    def resized(self, rows: int, columns: int) -> LesionAnswer:
        """The same answer on another grid over the same photograph."""
        maps = torch.from_numpy(np.stack([self.probability, self.variance]))[None]
        whole = functional.interpolate(maps, size=(rows, columns), mode="bilinear", antialias=True)[0].numpy()
        return replace(self, mask=lesion_mask(whole[0]), probability=whole[0], variance=whole[1])


def lesion_mask(probability: np.ndarray) -> np.ndarray:
    """Probabilities (rows, cols) -> the mask without holes and without crumbs."""
    mask = ndimage.binary_fill_holes(probability > 0.5)
    parts, count = ndimage.label(mask)
    if count > 1:
        sizes = np.bincount(parts.ravel())
        sizes[0] = 0
        mask = (sizes >= SMALLEST_PART * sizes.max())[parts]
    return np.asarray(mask, dtype=bool)


def boundary_confidence(members: np.ndarray, mask: np.ndarray) -> float:
    """Members (M, side, side) in 0 to 1 and the mask (side, side) -> mean boundary F between them."""
    if not mask.any():
        return 0.0
    scores = [BorderDistances.between(lesion_mask(member), mask).boundary_f(MEMBERS_AGREE_WITHIN) for member in members]
    return float(np.mean(scores))


def variance_at_border(variance: np.ndarray, mask: np.ndarray) -> float:
    """Mean of the variance (side, side) where the members could disagree: within 4 pixels of the mask's border.

    Without a mask, of the whole picture.
    """
    if not mask.any():
        return float(variance.mean())
    near = ndimage.binary_dilation(mask, iterations=4) & ~ndimage.binary_erosion(mask, iterations=4)
    return float(variance[near].mean())
