"""The parts by their names: bundled weights, or files of somebody's own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from samantic.besadiff.generator import LesionGenerator
from samantic.besadiff.refiner import MaskRefiner
from samantic.besadiff.segmenter import LesionSegmenter
from samantic.besadiff.synthesis.errors import SynthesisError
from samantic.besadiff.synthesis.parts import CopyCheck
from samantic.bundled import bundled_models, bundled_weights
from samantic.segsam import SegSamPredictor

GENERATOR, SEGMENTER, SAM = "besadiff-generator", "besadiff-segmenter", "segsam-tiny"


@dataclass(frozen=True)
class Parts:
    """What `synthesize` is given."""

    generator: LesionGenerator
    refiner: MaskRefiner
    copies: CopyCheck | None


def load_parts(
    generator: str = GENERATOR, segmenter: str = SEGMENTER, sam: str = SAM, device: str | None = None
) -> Parts:
    """Load the parts, each the name of a bundled model or a .safetensors file.

    SynthesisError: there is no such model or file. PartError, CheckpointError: a file is of another kind.
    """
    predictor = SegSamPredictor.from_checkpoint(_file(sam), device)
    drawing = LesionGenerator.load(_file(generator), predictor.device)
    segmenting = LesionSegmenter.load(_file(segmenter), predictor.device)
    return Parts(drawing, MaskRefiner(predictor, segmenting), None)


def _file(named: str) -> Path:
    if named in bundled_models():
        return bundled_weights(named)
    path = Path(named).expanduser()
    if path.is_file():
        return path
    raise SynthesisError(
        f"'{named}' neither comes with this package ({', '.join(bundled_models())}) nor is it a file; train one with "
        "`samantic train`, or name a .safetensors file."
    )
