"""All slices of a round: learned from, measured on, rehearsed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from samantic.datasets.studies import LabelledImage
from samantic.imaging import ImageReadError
from samantic.segsam.training.retraining.slices import SliceReader, StudySlice
from samantic.segsam.training.retraining.watching import Watch
from samantic.training import TrainingError


@dataclass(frozen=True, eq=False)
class Material:
    """Slices by what is done with them; `left_out` says in one line each what could not be read, and why."""

    training: list[StudySlice] = field(default_factory=list)
    validation: list[StudySlice] = field(default_factory=list)
    rehearsed: list[StudySlice] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    @property
    def everything(self) -> list[StudySlice]:
        return [*self.training, *self.validation, *self.rehearsed]

    @property
    def classes(self) -> list[int]:
        """The classes that any label names, by index, in order."""
        return sorted({index for item in self.everything for index in item.classes})


def read_material(
    reader: SliceReader,
    images: Sequence[LabelledImage],
    class_names: Sequence[str],
    held_out: Collection[str],
    rehearsal: Sequence[Path],
    watch: Watch,
) -> Material:
    """Read the slices of all images; without any `held_out` id, what is learned from is measured on as well.

    TrainingError: nothing is left to learn from.
    """
    index_of = {name: index for index, name in enumerate(class_names)}
    material, count = Material(), len(images) + len(rehearsal)
    for done, image in enumerate(images):
        watch.go_on(done, count, "images")
        classes = {value: index_of[name] for value, name in image.class_of_value.items()}
        learned = image.image_id not in held_out
        measured = not learned or not held_out
        try:
            slices = reader.labelled(image, classes, keep_labels=measured)
        except ImageReadError as error:
            material.left_out.append(f"'{image.image_id}' is left out: {error}.")
            continue
        material.training.extend(slices if learned else ())
        material.validation.extend(slices if measured else ())
    if not material.training:
        reasons = " ".join(material.left_out) or "no image with a label is left for training."
        raise TrainingError(f"There is nothing to learn from: {reasons}")
    for done, path in enumerate(rehearsal, start=len(images)):
        watch.go_on(done, count, "images")
        try:
            material.rehearsed.extend(reader.unlabelled(path))
        except ImageReadError as error:
            material.left_out.append(f"'{path.name}' is not rehearsed: {error}.")
    return material
