"""What the model finds without a prompt, beside what it is prompted for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from samantic.segsam.predictor import ImageFeatures
from samantic.segsam.semantic_map import SemanticMap

AGREEMENT = 0.6
"""Dice with the prompted mask from which on a class's map is believed on the other slices."""

WEIGHT = 1.0
"""Of the map's logits beside those of the prompted answer, and how large they may be; chosen on validation volumes."""

LARGEST = 6.0


@runtime_checkable
class SeesClasses(Protocol):
    """A model that may have a prompt-free head."""

    has_prompt_free_head: bool

    def semantic_map(self, features: ImageFeatures, classes: Sequence[str] | None = None) -> SemanticMap: ...


@dataclass(frozen=True)
class Unprompted:
    """The class whose map shows the object that a person pointed out, and who draws it (ours).

    A slice's prompt is the mask of the slice before, and its errors are handed on; the map knows nothing of them.
    """

    model: SeesClasses
    class_name: str

    @classmethod
    def of(cls, model: object, features: ImageFeatures, mask: np.ndarray) -> Unprompted | None:
        """None where no class's map agrees with the mask (rows, cols), or the model draws none."""
        if not isinstance(model, SeesClasses) or not model.has_prompt_free_head or not mask.any():
            return None
        found = model.semantic_map(features)
        inside, total = found.probabilities[1:, mask].sum(axis=1), found.probabilities[1:].sum(axis=(1, 2))
        agreement = 2 * inside / (total + mask.sum())
        best = int(agreement.argmax())
        return cls(model, found.class_names[best]) if agreement[best] >= AGREEMENT else None

    def evidence(self, features: ImageFeatures) -> np.ndarray:
        """Logits (rows, cols) float32 for a pixel to be of the class."""
        probability = self.model.semantic_map(features, [self.class_name]).probabilities[1]
        likely = np.clip(probability, 1e-6, 1 - 1e-6)
        return WEIGHT * np.clip(np.log(likely / (1 - likely)), -LARGEST, LARGEST)
