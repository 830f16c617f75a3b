"""The parts by their names: bundled weights, or files of somebody's own; and the check for copies where it can be."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from samantic.besadiff.generator import LesionGenerator
from samantic.besadiff.memorisation import Memorisation
from samantic.besadiff.refiner import MaskRefiner
from samantic.besadiff.segmenter import LesionSegmenter
from samantic.besadiff.synthesis.errors import SynthesisError
from samantic.besadiff.synthesis.parts import CopyCheck
from samantic.bundled import bundled_models, bundled_weights
from samantic.datasets.development_sets import data_folder, isic2017
from samantic.segsam import SegSamPredictor

GENERATOR, SEGMENTER, SAM = "besadiff-generator", "besadiff-segmenter", "segsam-tiny"
TRAINING_SET = "isic2017"


@dataclass(frozen=True)
class Parts:
    """What `synthesize` is given; without training images there is nothing that looks for copies."""

    generator: LesionGenerator
    refiner: MaskRefiner
    copies: CopyCheck | None


def load_parts(
    generator: str = GENERATOR, segmenter: str = SEGMENTER, sam: str = SAM, device: str | None = None
) -> Parts:
    """Load the parts, each the name of a bundled model or a .safetensors file.

    Where SAMANTIC_DATA names the folder of the training images, generated images are compared with those that the
    generator has learned from. SynthesisError: there is no such model or file, or the images are not those that the
    generator knows. PartError, CheckpointError: a file is of another kind. FileNotFoundError: SAMANTIC_DATA is wrong.
    """
    predictor = SegSamPredictor.from_checkpoint(_file(sam), device)
    drawing = LesionGenerator.load(_file(generator), predictor.device)
    segmenting = LesionSegmenter.load(_file(segmenter), predictor.device)
    copies = copy_check(drawing, segmenting) if os.environ.get("SAMANTIC_DATA") else None
    return Parts(drawing, MaskRefiner(predictor, segmenting), copies)


def copy_check(generator: LesionGenerator, segmenter: LesionSegmenter) -> Memorisation:
    """Return what looks for copies of the images that a generator has learned from; half a minute of work.

    SynthesisError: SAMANTIC_DATA lacks some of them, or the generator does not say which they were.
    """
    learned = set(generator.manifest.images.get(TRAINING_SET, ()))
    images = [(view.image_id, view.image) for view in isic2017(data_folder(), "train") if view.image_id in learned]
    missing = learned - {image_id for image_id, _ in images}
    if missing or not learned:
        raise SynthesisError(
            f"The generator has learned from {len(learned)} images of {TRAINING_SET}, of which SAMANTIC_DATA holds "
            f"{len(images)} as training images; unset SAMANTIC_DATA to go without the check for copies."
        )
    return Memorisation(images, segmenter.features)


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
