"""All that is said about one answer's mask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from samantic.evaluation.borders import BorderDistances
from samantic.evaluation.overlap import dice, intersection_over_union


@dataclass(frozen=True)
class MaskScores:
    """Dice and IoU, surface Dice within a tolerance and Hausdorff 95 in the picture's unit, boundary F in pixels."""

    dice: float
    iou: float
    surface_dice: float
    hausdorff95: float
    boundary_f: float


def mask_scores(
    predicted: np.ndarray,
    truth: np.ndarray,
    spacing_yx: tuple[float, float],
    tolerance: float,
    boundary_tolerance_pixels: float = 1.0,
) -> MaskScores:
    """Score a mask (H, W) bool against the truth; `tolerance` of the surface Dice in the unit of the spacing."""
    distances = BorderDistances.between(predicted, truth, spacing_yx)
    # The boundary F asks how well the line is drawn on the pixels that there are, whatever their size.
    in_pixels = distances if spacing_yx == (1.0, 1.0) else BorderDistances.between(predicted, truth)
    return MaskScores(
        dice=dice(predicted, truth),
        iou=intersection_over_union(predicted, truth),
        surface_dice=distances.normalised_surface_dice(tolerance),
        hausdorff95=distances.hausdorff95(),
        boundary_f=in_pixels.boundary_f(boundary_tolerance_pixels),
    )
