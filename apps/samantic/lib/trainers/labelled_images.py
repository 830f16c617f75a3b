"""The final labels of a datastore, as something to learn from."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from monailabel.interfaces.datastore import Datastore, DefaultLabelTag

from samantic.app.lib.infers.wire import RequestError
from samantic.app.lib.trainers.training_request import TrainingRequest
from samantic.datasets.studies import LabelledImage, class_of_segment, class_of_value, is_synthetic
from samantic.imaging import ImageReadError

REHEARSED = 8
"""Images without a label on which the old answers are kept: more cost time and teach little."""

TAG = DefaultLabelTag.FINAL.value


@dataclass(frozen=True)
class Material:
    """Labelled images, files of some images without a label, and a sentence for everything that was left out."""

    images: tuple[LabelledImage, ...]
    without_label: tuple[Path, ...]
    left_out: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many labelled images."""
        return len(self.images)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes that the labels show, sorted."""
        return tuple(sorted({name for image in self.images for name in image.class_of_value.values()}))


def material_of(datastore: Datastore, asked: TrainingRequest, known: Collection[str]) -> Material:
    """Collect what a training learns from. Segments whose name means no class are not learned, and are not background.

    known: the classes that the network knows already. Raises RequestError if nothing is left, or if an image that was
    chosen for validation has no final label.
    """
    images, left_out = [], []
    for image_id in labelled_ids(datastore, asked.options.validation_ids):
        try:
            found, strangers = _meant(labelled_image(datastore, image_id), asked, known)
        except ImageReadError as error:
            left_out.append(f"The image '{image_id}' is left out: {error}")
            continue
        if strangers:
            names = ", ".join(f"'{name}'" for name in strangers)
            left_out.append(f"In '{image_id}' {names} means no class; describe it in 'classes' to have it learned.")
        if found.class_of_value:
            images.append(found)
        elif not strangers:
            left_out.append(f"The image '{image_id}' is left out: nothing says which classes its label shows.")
    if not images:
        why = left_out[0] if left_out else "no image has a final label."
        raise RequestError(f"There is nothing to learn from: {why}")
    return Material(tuple(images), files_without_label(datastore, REHEARSED), tuple(left_out))


def labelled_ids(datastore: Datastore, validation_ids: Collection[str] | None) -> list[str]:
    """Return the ids of the images with a final label, sorted; RequestError if one to be held out has none."""
    labelled = sorted(datastore.get_labeled_images())
    missing = sorted(set(validation_ids or ()) - set(labelled))
    if missing:
        raise RequestError(f"'val_ids' names '{missing[0]}', but no image of that id has a final label.")
    return labelled


def labelled_image(datastore: Datastore, image_id: str) -> LabelledImage:
    """Return an image with its final label and the words that its values mean. Raises ImageReadError."""
    image, label = Path(datastore.get_image_uri(image_id)), Path(datastore.get_label_uri(image_id, TAG))
    notes = datastore.get_label_info(image_id, TAG)
    return LabelledImage(image_id, image, label, class_of_value(notes) or class_of_segment(label), is_synthetic(notes))


def files_without_label(datastore: Datastore, most: int | None = None) -> tuple[Path, ...]:
    """Return the files of the images that have no label and are there, by their ids; at `most` so many."""
    found: list[Path] = []
    for image_id in sorted(datastore.get_unlabeled_images()):
        if len(found) == most:
            break
        try:
            found.append(Path(datastore.get_image_uri(image_id)))
        except ImageReadError:
            continue
    return tuple(found)


def _meant(labelled: LabelledImage, asked: TrainingRequest, known: Collection[str]) -> tuple[LabelledImage, list[str]]:
    classes, strangers = {}, []
    for value, word in labelled.class_of_value.items():
        name = asked.class_of(word, known)
        if name is None:
            strangers.append(word)
        else:
            classes[value] = name
    return replace(labelled, class_of_value=classes), strangers
