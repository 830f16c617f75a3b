"""Masks that may be objects, and which of those that overlap are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from samantic.segsam.predictor import ObjectPrediction
from samantic.segsam.second_look import bounds_of

STABILITY_LOGIT = 1.0
"""Of the two cuts whose overlap is the stability, as in SAM's automatic mode (Kirillov et al. 2023)."""


@dataclass(frozen=True, eq=False)
class Proposal:
    """One object of class `value`: `mask` bool and `probability` float16, both cut to the half-open `box_xyxy`.

    `score` in 0 to 1: how sure the network is of where and what the object is.
    """

    value: int
    box_xyxy: tuple[int, int, int, int]
    mask: np.ndarray
    probability: np.ndarray
    score: float

    @classmethod
    def of(cls, prediction: ObjectPrediction, value: int, score: float) -> Proposal | None:
        """What was predicted, as a proposal; None for an empty mask."""
        bounds = bounds_of(prediction.mask)
        if bounds is None:
            return None
        x0, y0, x1, y1 = (int(bound) for bound in bounds)
        logits = prediction.mask_logits[y0:y1, x0:x1]
        probability = (1 / (1 + np.exp(-logits.clip(-15, 15)))).astype(np.float16)
        return cls(value, (x0, y0, x1, y1), prediction.mask[y0:y1, x0:x1].copy(), probability, score)

    @property
    def window(self) -> tuple[slice, slice]:
        """Where the cut lies in the picture."""
        x0, y0, x1, y1 = self.box_xyxy
        return slice(y0, y1), slice(x0, x1)


def stability(mask_logits: np.ndarray) -> float:
    """How little a mask depends on where its logits are cut: IoU of the cuts at +1 and at -1."""
    wide = int((mask_logits > -STABILITY_LOGIT).sum())
    return int((mask_logits > STABILITY_LOGIT).sum()) / wide if wide else 0.0


def overlap(one: Proposal, other: Proposal) -> float:
    """Intersection over union of two masks."""
    x0, y0 = max(one.box_xyxy[0], other.box_xyxy[0]), max(one.box_xyxy[1], other.box_xyxy[1])
    x1, y1 = min(one.box_xyxy[2], other.box_xyxy[2]), min(one.box_xyxy[3], other.box_xyxy[3])
    if x0 >= x1 or y0 >= y1:
        return 0.0
    together = int((_part(one, x0, y0, x1, y1) & _part(other, x0, y0, x1, y1)).sum())
    return together / max(1, int(one.mask.sum()) + int(other.mask.sum()) - together)


def without_repeats(proposals: Sequence[Proposal], same_object: float) -> list[Proposal]:
    """The surest proposals first; whatever overlaps a surer one by `same_object` or more is left out."""
    kept: list[Proposal] = []
    for proposal in sorted(proposals, key=lambda one: -one.score):
        if all(overlap(proposal, other) < same_object for other in kept):
            kept.append(proposal)
    return kept


def _part(proposal: Proposal, x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
    left, top = proposal.box_xyxy[:2]
    return proposal.mask[y0 - top : y1 - top, x0 - left : x1 - left]
