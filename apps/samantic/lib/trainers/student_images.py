"""The images of a datastore that a student learns from: those with a final label, and those without one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from monailabel.interfaces.datastore import Datastore

from samantic.app.lib.infers.wire import RequestError
from samantic.app.lib.trainers.labelled_images import labelled_ids, labelled_image
from samantic.app.lib.trainers.student_request import StudentTrainingRequest
from samantic.datasets.studies import LabelledImage, canonical
from samantic.imaging import ImageReadError


@dataclass(frozen=True)
class StudentMaterial:
    """Labelled images that name a class of the student, files without a label, and a sentence for what was left out."""

    images: tuple[LabelledImage, ...]
    unlabelled: tuple[Path, ...]
    class_names: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many labelled images."""
        return len(self.images)


def student_material(datastore: Datastore, asked: StudentTrainingRequest, known: Collection[str]) -> StudentMaterial:
    """Collect what a training learns from; `known` are the student's classes. Raises RequestError if nothing is left.

    A label that names none of them says nothing about them: its image is left out, also from those without a label.
    """
    images, left_out, others = [], [], 0
    for image_id in labelled_ids(datastore, asked.options.validation_ids):
        try:
            found = labelled_image(datastore, image_id)
        except ImageReadError as error:
            left_out.append(f"The image '{image_id}' is left out: {error}")
            continue
        meant = {value: canonical(word) for value, word in found.class_of_value.items()}
        named = {value: name for value, name in meant.items() if name in known}
        if named and not found.is_synthetic:
            images.append(replace(found, class_of_value=named))
        else:
            others += 1
    if others:
        what = f"no label of {', '.join(sorted(known))}, or synthetic"
        left_out.append(f"{others} {'image is' if others == 1 else 'images are'} left out: {what}.")
    if not images:
        why = left_out[0] if left_out else "no image has a final label of the student's classes."
        raise RequestError(f"There is nothing to learn from: {why}")
    unfit = sorted((asked.options.validation_ids or frozenset()) - {image.image_id for image in images})
    if unfit:
        raise RequestError(f"'val_ids' names '{unfit[0]}', which has no final label of the student's classes.")
    return StudentMaterial(tuple(images), _without_label(datastore), tuple(sorted(known)), tuple(left_out))


def _without_label(datastore: Datastore) -> tuple[Path, ...]:
    found = []
    for image_id in sorted(datastore.get_unlabeled_images()):
        try:
            found.append(Path(datastore.get_image_uri(image_id)))
        except ImageReadError:
            continue
    return tuple(found)
