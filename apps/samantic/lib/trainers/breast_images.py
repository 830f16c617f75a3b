"""The final labels of a datastore that name a lesion of the breast, as something to learn from."""

from __future__ import annotations

from dataclasses import dataclass

from monailabel.interfaces.datastore import Datastore

from samantic.app.lib.infers.wire import RequestError
from samantic.app.lib.trainers.breast_request import BreastTrainingRequest
from samantic.app.lib.trainers.labelled_images import labelled_ids, labelled_image
from samantic.breast.diagnosis import LESION, is_lesion_word
from samantic.datasets.studies import LabelledImage
from samantic.imaging import ImageReadError


@dataclass(frozen=True)
class BreastMaterial:
    """Labelled images of breasts, and a sentence for what was left out."""

    images: tuple[LabelledImage, ...]
    left_out: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many labelled images."""
        return len(self.images)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The lesion."""
        return (LESION,)


def breast_material(datastore: Datastore, asked: BreastTrainingRequest) -> BreastMaterial:
    """Collect what a training learns from. Raises RequestError if nothing is left.

    A label that names no lesion of the breast says nothing about one: its image is left out.
    """
    images, left_out, others = [], [], 0
    for image_id in labelled_ids(datastore, asked.options.validation_ids):
        try:
            found = labelled_image(datastore, image_id)
        except ImageReadError as error:
            left_out.append(f"The image '{image_id}' is left out: {error}")
            continue
        if any(is_lesion_word(word) for word in found.class_of_value.values()) and not found.is_synthetic:
            images.append(found)
        else:
            others += 1
    if others:
        left_out.append(
            f"{others} {'image is' if others == 1 else 'images are'} left out: no label of a lesion of the breast."
        )
    if not images:
        why = left_out[0] if left_out else "no image has a final label of a lesion of the breast."
        raise RequestError(f"There is nothing to learn from: {why}")
    unfit = sorted((asked.options.validation_ids or frozenset()) - {image.image_id for image in images})
    if unfit:
        raise RequestError(f"'val_ids' names '{unfit[0]}', which has no final label of a lesion of the breast.")
    return BreastMaterial(tuple(images), tuple(left_out))
