"""BESA-Diff: generate, refine and segment dermoscopic images."""

from samantic.besadiff.answer import LesionAnswer
from samantic.besadiff.checkpoint import PartError
from samantic.besadiff.dermosegdiff import DermoSegDiff, DermoSegDiffConfig
from samantic.besadiff.generator import GeneratedPair, LesionCondition, LesionGenerator
from samantic.besadiff.pipeline import BesaDiffPipeline
from samantic.besadiff.refiner import AcceptanceRules, MaskRefiner, Refinement
from samantic.besadiff.segmenter import LesionSegmenter

__all__ = [
    "AcceptanceRules",
    "BesaDiffPipeline",
    "DermoSegDiff",
    "DermoSegDiffConfig",
    "GeneratedPair",
    "LesionAnswer",
    "LesionCondition",
    "LesionGenerator",
    "LesionSegmenter",
    "MaskRefiner",
    "PartError",
    "Refinement",
]
