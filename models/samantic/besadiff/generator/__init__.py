"""Generating dermoscopic images together with the masks of their lesions."""

from samantic.besadiff.generator.condition import (
    DIAGNOSES,
    ConditionDistribution,
    Diagnosis,
    LesionCondition,
    condition_of,
)
from samantic.besadiff.generator.lesion_generator import GeneratedPair, LesionGenerator
from samantic.besadiff.generator.usual_conditions import draw_condition

__all__ = [
    "DIAGNOSES",
    "ConditionDistribution",
    "Diagnosis",
    "GeneratedPair",
    "LesionCondition",
    "LesionGenerator",
    "condition_of",
    "draw_condition",
]
