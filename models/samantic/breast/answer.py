"""What the network says about a picture of a breast."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from samantic.breast.diagnosis import DIAGNOSES
from samantic.segsam.familiarity import ImageFamiliarity

SURE_FROM = 0.6
"""Probability of the likeliest diagnosis from which it counts as sure (ours)."""

SMALLEST_PART = 0.1
"""A component smaller than this share of the largest is a crumb (ours)."""


@dataclass(frozen=True, eq=False)
class BreastAnswer:
    """Maps (rows, cols) over the picture, and a probability for each of DIAGNOSES, (3,), which sum to 1.

    `class_logits` (3,) are what the probabilities were made of by the temperature.
    `mask` bool; `probability` of lesion and `attention`, how much the classifier looked there, float32 in 0 to 1.
    `familiarity` is None for a network that does not know what it was trained on.
    """

    mask: np.ndarray
    probability: np.ndarray
    attention: np.ndarray
    diagnosis_probabilities: np.ndarray
    class_logits: np.ndarray
    familiarity: ImageFamiliarity | None

    @property
    def diagnosis(self) -> str:
        """The likeliest of DIAGNOSES."""
        return DIAGNOSES[int(self.diagnosis_probabilities.argmax())]

    @property
    def confidence(self) -> float:
        """Its probability."""
        return float(self.diagnosis_probabilities.max())

    @property
    def contradicts_itself(self) -> bool:
        """Whether the breast is called normal and a lesion drawn into it, or the other way round."""
        return (self.diagnosis == DIAGNOSES[0]) == bool(self.mask.any())

    @property
    def out_of_domain(self) -> bool:
        """Whether the picture looks like none that the network was trained on."""
        return self.familiarity is not None and self.familiarity.out_of_domain

    @property
    def unsure(self) -> bool:
        """Whether nobody should believe the diagnosis without a look (ours)."""
        return not self.confidence >= SURE_FROM or self.contradicts_itself or self.out_of_domain


def lesion_mask(probability: np.ndarray) -> np.ndarray:
    """Probabilities (rows, cols) -> the mask without holes and without crumbs."""
    mask = ndimage.binary_fill_holes(probability > 0.5)
    parts, count = ndimage.label(mask)
    if count > 1:
        sizes = np.bincount(parts.ravel())
        sizes[0] = 0
        mask = (sizes >= SMALLEST_PART * sizes.max())[parts]
    return np.asarray(mask, dtype=bool)
