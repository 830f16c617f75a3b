"""The answer of the refiner, with everything that was decided on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Refinement:
    """A refined mask and whether it may be learned from.

    `mask` (rows, cols) bool; `probability` (rows, cols) float32; `reasons` one sentence for every rule that was broken,
    none where it is `accepted`; `scores` by name; `prompts` and `candidates` what SAM was asked and answered, as JSON
    values, the kept candidate first.
    """

    mask: np.ndarray
    probability: np.ndarray
    reasons: tuple[str, ...]
    scores: Mapping[str, float]
    prompts: Mapping[str, Any] = field(default_factory=dict)
    candidates: tuple[Mapping[str, Any], ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether no rule was broken."""
        return not self.reasons

    def to_json(self) -> dict[str, Any]:
        """Return all but the pictures as JSON values."""
        return {
            "accepted": self.accepted,
            "reasons": list(self.reasons),
            "scores": {name: round(float(value), 4) for name, value in self.scores.items()},
            "prompts": dict(self.prompts),
            "candidates": [dict(candidate) for candidate in self.candidates],
        }
