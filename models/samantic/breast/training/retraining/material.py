"""Pictures of breasts and what their labels say: what a round learns from and is measured on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import numpy as np

from samantic.breast.diagnosis import is_lesion_word, possible_diagnoses
from samantic.breast.training.examples import BreastExample
from samantic.datasets.studies import LabelledImage
from samantic.imaging import ImageReadError, SliceView, read_mask, read_volume, to_uint8, window_for
from samantic.segsam.training.retraining.slices import evenly
from samantic.training import TrainingError


@dataclass(frozen=True, eq=False)
class Material:
    """Examples by what is done with them; `left_out` says in one line each what is not used, and why."""

    training: list[BreastExample] = field(default_factory=list)
    validation: list[BreastExample] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def material_of(examples: Sequence[BreastExample], held_out: Collection[str], left_out: list[str]) -> Material:
    """Sort examples; without any `held_out` id, what is learned from is measured on as well.

    TrainingError: nothing is left to learn from.
    """
    material = Material(left_out=left_out)
    for example in examples:
        learned = example.image_id not in held_out
        if learned:
            material.training.append(example)
        if not learned or not held_out:
            material.validation.append(example)
    if not material.training:
        reasons = " ".join(left_out) or "no ultrasound with a label of a lesion is left for training."
        raise TrainingError(f"There is nothing to learn from: {reasons}")
    return material


def read_examples(
    images: Sequence[LabelledImage], most: int, left_out: list[str], go_on: Callable[[int], None]
) -> list[BreastExample]:
    """Read pictures, at most `most` of them; those that cannot be used are told of in `left_out`.

    `go_on` is called before each with how many are done.
    """
    real = [image for image in images if not image.is_synthetic]
    if len(real) < len(images):
        left_out.append(f"{len(images) - len(real)} synthetic images are left out.")
    chosen = [real[index] for index in evenly(range(len(real)), most)]
    if len(chosen) < len(real):
        left_out.append(f"{len(real) - len(chosen)} of {len(real)} images are left out: {most} are enough.")
    examples = []
    for done, image in enumerate(chosen):
        go_on(done)
        try:
            examples.append(_example(image))
        except ImageReadError as error:
            left_out.append(f"'{image.image_id}' is left out: {error}.")
    return examples


def _example(image: LabelledImage) -> BreastExample:
    volume = read_volume(image.image)
    if volume.modality not in ("US", "RGB") or volume.shape_ijk[2] != 1:
        raise ImageReadError("it is no single picture of ultrasound")
    lesions = {value: word for value, word in image.class_of_value.items() if is_lesion_word(word)}
    if not lesions:
        raise ImageReadError("its label names no lesion of the breast")
    view = SliceView.of(volume, 2, 0)
    labels = view.extract(read_mask(image.label, volume))
    mask = np.isin(labels, list(lesions))
    shown = [word for value, word in lesions.items() if (labels == value).any()]
    picture = to_uint8(view.extract(volume.array), window_for(volume))
    return BreastExample(image.image_id, picture, mask, possible_diagnoses(shown, not mask.any()))
