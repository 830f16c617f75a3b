"""Pictures with masks as four planes, and back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F

from samantic.datasets.labelled_view import LabelledView


def planes_of(views: Sequence[LabelledView], side: int) -> np.ndarray:
    """Return (N, 4, side, side) uint8: red, green, blue and the mask of all labels; each pixel the mean of its area."""
    return np.stack([_planes(view.image, view.labels > 0, side) for view in views])


def _planes(image: np.ndarray, mask: np.ndarray, side: int) -> np.ndarray:
    stacked = np.dstack([image, mask.astype(np.uint8) * 255])
    picture = torch.from_numpy(np.ascontiguousarray(stacked.transpose(2, 0, 1))).float()[None]
    if min(stacked.shape[:2]) >= side:
        small = F.interpolate(picture, (side, side), mode="area")
    else:
        small = F.interpolate(picture, (side, side), mode="bilinear", align_corners=False)
    return small.round().byte()[0].numpy()
