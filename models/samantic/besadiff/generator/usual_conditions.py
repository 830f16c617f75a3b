"""Conditions as the bundled generator's training images have them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from samantic.besadiff.checkpoint import read_part
from samantic.besadiff.generator.condition import ConditionDistribution, Diagnosis, LesionCondition
from samantic.besadiff.generator.lesion_generator import CONDITIONS, KIND
from samantic.bundled import bundled_weights

BUNDLED = "besadiff-generator"


def draw_condition(
    random: np.random.Generator,
    diagnosis: Diagnosis | None = None,
    distribution: ConditionDistribution | None = None,
) -> LesionCondition:
    """Draw a condition from `distribution`, by default that of the bundled generator's training images.

    ValueError: no training image had the diagnosis. A generator of your own has its own `draw_condition`.
    """
    return (distribution or _bundled()).draw(random, diagnosis)


@lru_cache(maxsize=1)
def _bundled() -> ConditionDistribution:
    return ConditionDistribution.from_json(read_part(KIND, bundled_weights(BUNDLED)).notes[CONDITIONS])
