"""The real images of a datastore whose final label says something about what a model knows."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from monailabel.interfaces.datastore import Datastore

from samantic.app.lib.infers.wire import RequestError
from samantic.app.lib.trainers.labelled_images import labelled_ids, labelled_image
from samantic.datasets.studies import LabelledImage
from samantic.imaging import ImageReadError


@dataclass(frozen=True)
class RoundImages:
    """Labelled images, a sentence for what was left out, and the classes that are learned."""

    images: tuple[LabelledImage, ...]
    left_out: tuple[str, ...]
    class_names: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many labelled images."""
        return len(self.images)


def round_images(
    datastore: Datastore,
    validation_ids: Collection[str] | None,
    class_names: tuple[str, ...],
    what: str,
    usable: Callable[[LabelledImage], LabelledImage | None],
) -> RoundImages:
    """Collect what a training learns from; `what` a label must show is told to people.

    `usable` gives an image with the values that are learned, None where its label says nothing about them: such an
    image is left out, as is one that a program made. Raises RequestError if nothing is left, or if an image that was
    chosen for validation is left out.
    """
    images, left_out, others = [], [], 0
    for image_id in labelled_ids(datastore, validation_ids):
        try:
            found = labelled_image(datastore, image_id)
        except ImageReadError as error:
            left_out.append(f"The image '{image_id}' is left out: {error}")
            continue
        image = None if found.is_synthetic else usable(found)
        if image is None:
            others += 1
        else:
            images.append(image)
    if others:
        left_out.append(f"{others} {'image is' if others == 1 else 'images are'} left out: no label of {what}.")
    if not images:
        why = left_out[0] if left_out else f"no image has a final label of {what}."
        raise RequestError(f"There is nothing to learn from: {why}")
    unfit = sorted(set(validation_ids or ()) - {image.image_id for image in images})
    if unfit:
        raise RequestError(f"'val_ids' names '{unfit[0]}', which has no final label of {what}.")
    return RoundImages(tuple(images), tuple(left_out), class_names)
