"""Labels for pictures without one: where the student and the teacher whom it points there agree."""

from __future__ import annotations

import numpy as np
import torch
from scipy import ndimage

from samantic.evaluation import dice
from samantic.student.losses import UNKNOWN
from samantic.student.network import MambaStudent
from samantic.student.squares import turned, turned_back
from samantic.student.suitability import orientations_of
from samantic.student.teacher import Box, Teacher

CONFIDENT = 0.5
"""Share from which a pixel belongs to the component that the box is drawn around."""
SMALLEST_SHARE = 0.002
"""Of the square; a smaller component points at nothing."""
AGREEING_DICE = 0.7
LOOKS = 4


@torch.no_grad()
def student_shares(network: MambaStudent, square: torch.Tensor) -> torch.Tensor:
    """A picture (3, S, S) uint8 -> shares (1 + K, S, S), the mean over some orientations that such pictures have."""
    device = next(network.parameters()).device
    picture = square.float().to(device) / 255
    orientations = orientations_of(network.config)[:LOOKS]
    found = torch.softmax(network(torch.stack([turned(picture, one) for one in orientations])).logits.float(), dim=1)
    upright = [turned_back(shares, one) for shares, one in zip(found, orientations, strict=True)]
    return torch.stack(upright).mean(dim=0).cpu()


def agreed_labels(shares: torch.Tensor, teacher: Teacher, square: np.ndarray) -> torch.Tensor:
    """Shares (1 + K, S, S) and the picture (side, side, 3) as the teacher sees it -> labels (S, S), or UNKNOWN.

    Each class's largest confident component is boxed; where the mask that the teacher draws for the box agrees with it,
    pixels on which both agree are labelled. A class that nobody sees anywhere is not labelled, nor is anything then.
    """
    size = shares.shape[-1]
    labels = torch.full((size, size), UNKNOWN, dtype=torch.uint8)
    regions = {
        place: region
        for place in range(1, len(shares))
        if (region := _largest_component(shares[place].numpy() >= CONFIDENT)) is not None
    }
    if not regions:
        return labels
    boxes = [_box(region, square.shape[0] / size) for region in regions.values()]
    nothing = np.ones((size, size), bool)
    for (place, region), mask in zip(regions.items(), teacher.masks(square, boxes), strict=True):
        found = _small(mask, size)
        nothing &= ~found & (shares[place].numpy() < CONFIDENT)
        if dice(found, region) >= AGREEING_DICE:
            labels[torch.from_numpy(found & region)] = place
    if (labels == UNKNOWN).all():
        return labels
    labels[torch.from_numpy(nothing & (shares[0].numpy() >= CONFIDENT))] = 0
    return labels


def _largest_component(mask: np.ndarray) -> np.ndarray | None:
    parts, count = ndimage.label(mask)
    if not count:
        return None
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    if sizes.max() < SMALLEST_SHARE * mask.size:
        return None
    return np.asarray(parts == sizes.argmax())


def _box(region: np.ndarray, scale: float) -> Box:
    rows, columns = (np.flatnonzero(region.any(axis=axis)) for axis in (1, 0))
    return (columns[0] * scale, rows[0] * scale, (columns[-1] + 1) * scale, (rows[-1] + 1) * scale)


def _small(mask: np.ndarray, size: int) -> np.ndarray:
    shares = torch.from_numpy(mask)[None, None]
    return (torch.nn.functional.interpolate(shares, size=(size, size), mode="area")[0, 0] > 0.5).numpy()
