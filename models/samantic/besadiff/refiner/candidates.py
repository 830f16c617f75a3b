"""What a SAM-family model makes of the prompts: several masks, of which one is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy.special import expit

from samantic.besadiff.refiner.prompts import CoarsePrompts
from samantic.evaluation import intersection_over_union
from samantic.segsam import ImageFeatures, ObjectPrediction, ViewPrompts


class Promptable(Protocol):
    """What the refiner needs of a SAM-family model; `samantic.segsam.SegSamPredictor` with any encoder is one."""

    weights_hash: str

    def encode(self, image: np.ndarray) -> ImageFeatures: ...

    def decode(self, features: ImageFeatures, prompts: Sequence[ViewPrompts]) -> list[ObjectPrediction]: ...


@dataclass(frozen=True, eq=False)
class Candidate:
    """One answer: `mask` (rows, cols) bool, `probability` (rows, cols) float32, and how it is rated.

    `variant` names the prompts that led to it.
    """

    mask: np.ndarray
    probability: np.ndarray
    predicted_iou: float
    iou_with_coarse: float
    variant: str

    @property
    def score(self) -> float:
        """The quality that the model expects times the agreement with the coarse mask."""
        return self.predicted_iou * self.iou_with_coarse

    def to_json(self) -> dict[str, Any]:
        """Return the rating as JSON values."""
        return {
            "prompts": self.variant,
            "predicted_iou": round(self.predicted_iou, 4),
            "iou_with_coarse": round(self.iou_with_coarse, 4),
            "score": round(self.score, 4),
        }


def candidates_of(
    predictor: Promptable, image: np.ndarray, prompts: CoarsePrompts, variants: Sequence[str]
) -> list[Candidate]:
    """Return the answer to every variant of the prompts on an image (rows, cols, 3) uint8, the best score first.

    Empty answers are left out. The encoder runs once, the decoder once for all variants.
    """
    asked = [prompts.asked(variant) for variant in variants]
    found = []
    for variant, answer in zip(variants, predictor.decode(predictor.encode(image), asked), strict=True):
        if answer.mask.any():
            overlap = intersection_over_union(answer.mask, prompts.component)
            probability = expit(answer.mask_logits.astype(np.float32))
            found.append(Candidate(answer.mask, probability, answer.predicted_iou, overlap, variant))
    return sorted(found, key=lambda candidate: -candidate.score)
