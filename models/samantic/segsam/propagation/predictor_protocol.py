"""What propagation asks of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from samantic.segsam.predictor import ImageFeatures, ObjectPrediction
from samantic.segsam.view_prompts import ViewPrompts


class Predictor(Protocol):
    """What propagation asks of a model: `SegSamPredictor`, or whatever passes its calls on."""

    def encode(self, image: np.ndarray, spacing_yx_mm: tuple[float, float] = ...) -> ImageFeatures: ...

    def decode(
        self, features: ImageFeatures, prompts: Sequence[ViewPrompts], classes: Sequence[str] | None = None
    ) -> list[ObjectPrediction]: ...
