"""Coarse masks of lesions -> masks that may be learned from, by a SAM-family model and the diffusion's late steps."""

from samantic.besadiff.refiner.blending import BlendOptions, blended
from samantic.besadiff.refiner.candidates import Candidate, Promptable, candidates_of
from samantic.besadiff.refiner.mask_refiner import MaskRefiner, SharpAnswer, Sharpener
from samantic.besadiff.refiner.prompts import CoarsePrompts, PromptOptions
from samantic.besadiff.refiner.refinement import Refinement
from samantic.besadiff.refiner.rules import AcceptanceRules

__all__ = [
    "AcceptanceRules",
    "BlendOptions",
    "Candidate",
    "CoarsePrompts",
    "MaskRefiner",
    "PromptOptions",
    "Promptable",
    "Refinement",
    "SharpAnswer",
    "Sharpener",
    "blended",
    "candidates_of",
]
