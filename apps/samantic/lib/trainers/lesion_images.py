"""The final labels of a datastore that show a lesion, real or synthetic, as something to learn from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from monailabel.interfaces.datastore import Datastore

from samantic.app.lib.datastore import SamanticDatastore
from samantic.app.lib.infers.besadiff_request import LESION
from samantic.app.lib.infers.wire import RequestError
from samantic.app.lib.trainers.besadiff_request import LABELLED, NONE, LesionTrainingRequest
from samantic.app.lib.trainers.labelled_images import labelled_ids, labelled_image
from samantic.datasets.studies import LabelledImage, canonical, read_studies
from samantic.imaging import ImageReadError

PARTS = frozenset(
    {
        "pigment_network",
        "negative_network",
        "streaks",
        "milia_like_cyst",
        "globules",
        "blue_white_veil",
        "regression_structures",
        "blotch",
    }
)
"""What is drawn within a lesion and belongs to it."""


@dataclass(frozen=True)
class LesionMaterial:
    """Labelled images of lesions, and a sentence for what was left out; every named value of a label is lesion."""

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


def lesion_material(datastore: Datastore, asked: LesionTrainingRequest) -> LesionMaterial:
    """Collect what a training learns from. Raises RequestError if nothing real is left, or for a folder that is none.

    A label that names no lesion says nothing about one: its image is left out.
    """
    images, left_out, others = [], [], 0
    for image_id in labelled_ids(datastore, asked.options.validation_ids):
        try:
            found = _lesion(labelled_image(datastore, image_id))
        except ImageReadError as error:
            left_out.append(f"The image '{image_id}' is left out: {error}")
            continue
        if found is None:
            others += 1
        elif not found.is_synthetic or asked.synthetic != NONE:
            images.append(found)
    if others:
        left_out.append(f"{others} {'image is' if others == 1 else 'images are'} left out: no label of a lesion.")
    if asked.synthetic not in (LABELLED, NONE):
        images += _pairs_in(datastore, asked.synthetic)
    if all(image.is_synthetic for image in images):
        why = left_out[0] if left_out else "no real photograph has a final label of a lesion."
        raise RequestError(f"There is nothing to learn from: {why}")
    real = {image.image_id for image in images if not image.is_synthetic}
    unreal = sorted((asked.options.validation_ids or frozenset()) - real)
    if unreal:
        raise RequestError(
            f"'val_ids' names '{unreal[0]}', which is no real photograph with a final label of a lesion."
        )
    return LesionMaterial(tuple(images), tuple(left_out))


def _lesion(image: LabelledImage) -> LabelledImage | None:
    """The image with the values that are lesion; None where its label does not name the lesion."""
    named = {value: canonical(word) for value, word in image.class_of_value.items()}
    if LESION not in named.values():
        return None
    return replace(image, class_of_value={v: LESION for v, name in named.items() if name == LESION or name in PARTS})


def _pairs_in(datastore: Datastore, name: str) -> Iterator[LabelledImage]:
    """The synthetic pairs of a folder of the studies, which has a record of its own."""
    studies = datastore.studies if isinstance(datastore, SamanticDatastore) else None
    folder = None if studies is None else (studies / name).resolve()
    if studies is None or folder is None or not folder.is_relative_to(studies) or not folder.is_dir():
        raise RequestError(f"'synthetic' names '{name}', and the studies have no such folder.")
    try:
        labelled = read_studies(folder).labelled
    except (FileNotFoundError, ValueError) as error:
        raise RequestError(f"'synthetic' names '{name}', which holds no synthetic pairs: it has no record.") from error
    pairs = [found for image in labelled if image.is_synthetic and (found := _lesion(image)) is not None]
    if not pairs:
        raise RequestError(f"'synthetic' names '{name}', which holds no pair that is marked as synthetic.")
    # The folder may repeat ids of the studies; the path tells them apart.
    yield from (replace(image, image_id=f"{name}/{image.image_id}") for image in pairs)
