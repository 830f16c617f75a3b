"""The final labels of a datastore that say which part of a photograph is skin, as something to learn from."""

from __future__ import annotations

from dataclasses import dataclass, replace

from monailabel.interfaces.datastore import Datastore

from samantic.app.lib.infers.wire import RequestError
from samantic.app.lib.trainers.labelled_images import labelled_ids, labelled_image
from samantic.app.lib.trainers.skin_photo_request import SkinTrainingRequest
from samantic.datasets.studies import LabelledImage, canonical
from samantic.imaging import ImageReadError
from samantic.skinphoto.classes import CLASS_NAMES

SKIN = CLASS_NAMES[0]


@dataclass(frozen=True)
class SkinMaterial:
    """Labelled photographs, and a sentence for what was left out."""

    images: tuple[LabelledImage, ...]
    left_out: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many labelled photographs."""
        return len(self.images)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Skin and lesions."""
        return CLASS_NAMES


def skin_material(datastore: Datastore, asked: SkinTrainingRequest) -> SkinMaterial:
    """Collect what a training learns from. Raises RequestError where nothing is left or `val_ids` names another image.

    A label without skin does not say where the background is: its image is left out, as is one that a program made.
    """
    images, left_out, others = [], [], 0
    for image_id in labelled_ids(datastore, asked.options.validation_ids):
        try:
            image = labelled_image(datastore, image_id)
        except ImageReadError as error:
            left_out.append(f"The image '{image_id}' is left out: {error}")
            continue
        named = {value: canonical(word) for value, word in image.class_of_value.items()}
        if SKIN in named.values() and not image.is_synthetic:
            images.append(replace(image, class_of_value={v: n for v, n in named.items() if n in CLASS_NAMES}))
        else:
            others += 1
    if others:
        told = "image is" if others == 1 else "images are"
        left_out.append(f"{others} {told} left out: no label of skin in a real photograph.")
    if not images:
        why = left_out[0] if left_out else "no photograph has a final label of skin."
        raise RequestError(f"There is nothing to learn from: {why}")
    strangers = sorted((asked.options.validation_ids or frozenset()) - {image.image_id for image in images})
    if strangers:
        raise RequestError(f"'val_ids' names '{strangers[0]}', which is no photograph with a final label of skin.")
    return SkinMaterial(tuple(images), tuple(left_out))
