"""What a student says about a picture or a volume."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

SMALLEST_PART = 0.1
"""A component smaller than this share of its class's largest is left out (ours)."""

SURE_QUARTER = 0.25
"""Of a component's pixels, which must be sure where that is asked (ours)."""

BAND, GRID = 32, 256
"""Share of the image's longer side that is near a border, and places along it that are looked at."""


@dataclass(frozen=True, eq=False)
class StudentAnswer:
    """Over the pixels (rows, cols) of a picture or the voxels (I, J, K) of a volume.

    `labels` uint8, 0 background, n the class `class_names[n - 1]`, without holes and crumbs; `shares` float16, the
    probability of the background and of each class, (1 + classes, ...); `uncertainty` float16 in 0 to 1, their entropy
    over the largest that there could be.
    """

    labels: np.ndarray
    class_names: tuple[str, ...]
    shares: np.ndarray
    uncertainty: np.ndarray

    @classmethod
    def of(cls, shares: np.ndarray, class_names: tuple[str, ...], least_share: float = 0.0) -> StudentAnswer:
        """Shares (1 + classes, ...) float16 that sum to 1 -> the answer.

        A component is left out in which not even a quarter of the pixels have `least_share` for their class.
        """
        labels = tidied(_without_doubtful(shares, least_share), len(class_names))
        return cls(labels, class_names, shares, _entropy(shares))

    @property
    def confidence(self) -> np.ndarray:
        """The share of the label that was given, float16."""
        return np.take_along_axis(self.shares, self.labels[None].astype(np.intp), axis=0)[0]

    @property
    def border_uncertainty(self) -> float:
        """Mean uncertainty near where labels meet, within a 32nd of the image; of everything where nothing was found.

        On the border itself everything is unsure; how far that reaches says how sure the student is of it.
        """
        # A quarter of a thousand places a side tell as much as all of a large photograph.
        step = max(1, max(self.labels.shape) // GRID)
        index = tuple(slice(None, None, step) if size > 1 else 0 for size in self.labels.shape)
        labels, uncertainty = self.labels[index], self.uncertainty[index].astype(np.float32)
        width = 2 * max(1, max(labels.shape) // BAND) + 1
        near = ndimage.maximum_filter(labels, width) != ndimage.minimum_filter(labels, width)
        return float(uncertainty[near].mean() if near.any() else uncertainty.mean())


def _without_doubtful(shares: np.ndarray, least: float) -> np.ndarray:
    labels = shares.argmax(axis=0).astype(np.uint8)
    if least > 0:
        for value in range(1, len(shares)):
            parts, count = ndimage.label(labels == value)
            sure = ndimage.sum_labels(shares[value] >= least, parts, np.arange(1, count + 1))
            sizes = np.bincount(parts.ravel(), minlength=count + 1)[1:]
            labels[np.concatenate([[False], sure < SURE_QUARTER * sizes])[parts]] = 0
    return labels


def tidied(labels: np.ndarray, classes: int) -> np.ndarray:
    """Labels of a picture or volume without holes in a class and without its crumbs."""
    # A volume of one slice has no hole that is closed on all sides.
    thin = [axis for axis, size in enumerate(labels.shape) if size == 1]
    plane = np.squeeze(labels, axis=tuple(thin))
    found = plane.copy()
    for value in range(1, classes + 1):
        parts, count = ndimage.label(plane == value)
        if not count:
            continue
        sizes = np.bincount(parts.ravel())
        sizes[0] = 0
        kept = (sizes >= SMALLEST_PART * sizes.max())[parts]
        found[(plane == value) & ~kept] = 0
        holes = ndimage.binary_fill_holes(kept) & (found == 0)
        found[holes] = value
    return found.reshape(labels.shape)


def _entropy(shares: np.ndarray) -> np.ndarray:
    total = np.zeros(shares.shape[1:], np.float32)
    for share in shares:
        part = share.astype(np.float32)
        total -= part * np.log(np.maximum(part, 1e-7))
    return (total / np.log(len(shares))).clip(0, 1).astype(np.float16)
