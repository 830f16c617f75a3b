"""How far two masks' borders lie apart: normalised surface Dice, 95th percentile Hausdorff distance, boundary F.

A border pixel is a foreground pixel with a background pixel (or the picture's edge) among its four neighbours, as in
MONAI's metrics; distances run between the centres of border pixels, in the unit of the spacing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage


@dataclass(frozen=True, eq=False)
class BorderDistances:
    """Distances from every border pixel of one mask to the nearest of the other, (N,) and (M,), and the picture's size.

    Two empty masks agree fully. Where one alone is empty there is no distance: the surface Dice and the boundary F are
    0, and the Hausdorff distance is the picture's diagonal, the largest that any answer could have had (ours).
    """

    from_predicted: np.ndarray
    from_truth: np.ndarray
    diagonal: float

    @classmethod
    def between(
        cls, predicted: np.ndarray, truth: np.ndarray, spacing_yx: tuple[float, float] = (1.0, 1.0)
    ) -> BorderDistances:
        """Measure two masks (H, W) bool of one shape; ValueError for different shapes."""
        if predicted.shape != truth.shape:
            raise ValueError(f"The masks must have one shape, but they are {predicted.shape} and {truth.shape}.")
        diagonal = float(np.hypot(*np.multiply(truth.shape, spacing_yx)))
        either = predicted | truth
        if not either.any():
            return cls(np.zeros(0), np.zeros(0), diagonal)
        # All border pixels lie in the common bounding box, and most masks are small beside their picture.
        found = ndimage.find_objects(either.astype(np.uint8))[0]
        mine, true = (_border(np.pad(mask[found], 1)) for mask in (predicted, truth))
        return cls(_nearest(mine, true, spacing_yx), _nearest(true, mine, spacing_yx), diagonal)

    @property
    def both_empty(self) -> bool:
        return not len(self.from_predicted) and not len(self.from_truth)

    @property
    def one_empty(self) -> bool:
        return bool(len(self.from_predicted)) != bool(len(self.from_truth))

    def normalised_surface_dice(self, tolerance: float) -> float:
        """Return the share of both borders within `tolerance` of the other one (Nikolov et al. 2018, on pixels)."""
        if self.both_empty:
            return 1.0
        within = np.sum(self.from_predicted <= tolerance) + np.sum(self.from_truth <= tolerance)
        return float(within / (len(self.from_predicted) + len(self.from_truth)))

    def hausdorff95(self) -> float:
        """Return the larger of the two directed 95th percentiles of the distances (Huttenlocher 1993, as in MONAI)."""
        if self.both_empty:
            return 0.0
        if self.one_empty:
            return self.diagonal
        return float(max(np.percentile(self.from_predicted, 95), np.percentile(self.from_truth, 95)))

    def boundary_f(self, tolerance: float) -> float:
        """Return the harmonic mean of the borders' precision and recall within `tolerance` (Csurka et al. 2013)."""
        if self.both_empty:
            return 1.0
        if self.one_empty:
            return 0.0
        precision = float(np.mean(self.from_predicted <= tolerance))
        recall = float(np.mean(self.from_truth <= tolerance))
        return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _border(mask: np.ndarray) -> np.ndarray:
    return mask & ~ndimage.binary_erosion(mask)


def _nearest(border: np.ndarray, other: np.ndarray, spacing_yx: tuple[float, float]) -> np.ndarray:
    if not other.any():
        return np.full(int(border.sum()), np.inf)
    return ndimage.distance_transform_edt(~other, sampling=spacing_yx)[border]
