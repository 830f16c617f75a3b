"""Folders of synthetic images of skin lesions with masks that may be learned from."""

from samantic.besadiff.synthesis.errors import SynthesisError
from samantic.besadiff.synthesis.manifest import MANIFEST, Attempt, Manifest, read_manifest
from samantic.besadiff.synthesis.pair_folder import CLASS_NAME, PairFolder
from samantic.besadiff.synthesis.parts import CopyCheck, Nearest, PairSource, Refiner
from samantic.besadiff.synthesis.settings import SynthesisSettings
from samantic.besadiff.synthesis.synthesizing import Synthesis, SynthesisProgress, synthesize

__all__ = [
    "CLASS_NAME",
    "MANIFEST",
    "Attempt",
    "CopyCheck",
    "Manifest",
    "Nearest",
    "PairFolder",
    "PairSource",
    "Refiner",
    "Synthesis",
    "SynthesisError",
    "SynthesisProgress",
    "SynthesisSettings",
    "read_manifest",
    "synthesize",
]
