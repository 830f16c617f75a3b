"""Training pictures -> prompted objects with their targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage
from torch.nn import functional

from samantic.datasets.labelled_view import LabelledView
from samantic.datasets.synthesis import synthesise
from samantic.sam.image_encoder import Placement
from samantic.segsam.losses import NO_CLASS, SemanticTargets
from samantic.segsam.training.augmentation import TrainingPicture, picture_of
from samantic.segsam.training.known_classes import KnownClasses
from samantic.vocabulary import Vocabulary

SMALLEST_OBJECT = 10
"""Cells of the mask grid; smaller regions are no objects to learn from."""

BLACK = 8.0
"""Brightness up to which a picture is taken for air or for its frame."""


ONE_PATIENT = ("example_ct", "example_mr_sm")
"""Volumes that are all there is of their kind: most of their slices are made into another patient's."""


@dataclass(frozen=True)
class TrainingBatch:
    """Pictures, prompted objects and what the network should answer.

    `images` (B, 3, S, S); `objects` (N, g, g) bool on the mask grid; `image_index` (N,) says on which image each lies;
    `is_structure` (N,) marks those that are a labelled structure and not just any tissue.
    """

    images: torch.Tensor
    objects: np.ndarray
    image_index: torch.Tensor
    targets: SemanticTargets
    is_structure: torch.Tensor


@dataclass(frozen=True)
class _Object:
    region: np.ndarray
    class_index: int
    present: np.ndarray
    known: np.ndarray
    is_structure: bool = True


class BatchBuilder:
    """Draws training batches for a network that knows `class_names`.

    Some prompted regions carry no name at all, so that the network learns to say so; of which classes a picture tells
    whether they are there, `KnownClasses` says.

    On `unknown_share` of the pictures something that carries no name is prompted as well, and `synthesis_share` of the
    one-patient volumes' slices are made into another's. `placement` and `border` are the encoder's.
    """

    def __init__(
        self,
        class_names: Sequence[str],
        vocabulary: Vocabulary,
        picture_size: int,
        objects_per_image: int,
        mask_grid: int | None = None,
        unknown_share: float = 0.25,
        synthesis_share: float = 0.7,
        placement: Placement = "centre",
        border: tuple[float, float, float] = (0.0, 0.0, 0.0),
    ) -> None:
        self.index_of = {name: index for index, name in enumerate(class_names)}
        self.known = KnownClasses(class_names, vocabulary)
        self.picture_size = picture_size
        self.mask_grid = mask_grid or picture_size // 2
        self.objects_per_image = objects_per_image
        self.unknown_share = unknown_share
        self.synthesis_share = synthesis_share
        self.placement: Placement = placement
        self.border = border

    def build(self, views: Sequence[LabelledView], random: np.random.Generator) -> TrainingBatch | None:
        """One batch of the given views; None if no object is large enough."""
        images: list[torch.Tensor] = []
        objects: list[_Object] = []
        image_index: list[int] = []
        for view in views:
            image, found = self._draw(as_another_patient(view, random, self.synthesis_share), random)
            if found:
                objects += found
                image_index += [len(images)] * len(found)
                images.append(image)
        if not objects:
            return None
        return TrainingBatch(
            torch.stack(images),
            np.stack([item.region for item in objects]),
            torch.tensor(image_index),
            SemanticTargets(
                torch.tensor([item.class_index for item in objects]),
                torch.from_numpy(np.stack([item.present for item in objects])),
                torch.from_numpy(np.stack([item.known for item in objects])),
            ),
            torch.tensor([item.is_structure for item in objects]),
        )

    def _draw(self, view: LabelledView, random: np.random.Generator) -> tuple[torch.Tensor, list[_Object]]:
        """A whole picture with several of its structures and, now and then, a region that is none."""
        picture = picture_of(view, self.picture_size, random, self.placement, self.border)
        regions = self._regions(view, picture)
        large = sorted(index for index, region in regions.items() if region.sum() >= SMALLEST_OBJECT)
        chosen = random.permutation(large)[: self.objects_per_image].astype(int).tolist()
        present = np.zeros(len(self.index_of), dtype=bool)
        present[large] = True
        # A sliver of a class is no object, but it would be wrong to call the class absent.
        known = self.known.of(view)
        known[[index for index in regions if index not in large]] = False
        objects = [_Object(object_in(regions[index], random), index, present, known) for index in chosen]
        if random.random() < self.unknown_share:
            labelled = self._on_grid(picture.labels > 0) > 0
            region = unlabelled_region(self._on_grid(picture.image[1]), labelled, random)
            if region is not None:
                objects.append(_Object(region, NO_CLASS, present, known, is_structure=False))
        return picture.image, objects

    def _regions(self, view: LabelledView, picture: TrainingPicture) -> dict[int, np.ndarray]:
        """The regions of all classes that the picture shows, however small, on the mask grid."""
        regions = {}
        for value in picture.labels.unique().tolist():
            if value == 0:
                continue
            name = view.class_names[value - 1]
            if name in self.index_of:
                regions[self.index_of[name]] = self._on_grid(picture.labels == value) >= 0.5
        return regions

    def _on_grid(self, values: torch.Tensor) -> np.ndarray:
        """Means of a picture (S, S) over the cells of the mask grid (g, g)."""
        return functional.avg_pool2d(values.float()[None, None], self.picture_size // self.mask_grid)[0, 0].numpy()


def unlabelled_region(picture: np.ndarray, labelled: np.ndarray, random: np.random.Generator) -> np.ndarray | None:
    """Some tissue (g, g) bool that carries no label: a patch of about one brightness inside a random ellipse (ours).

    `picture` (g, g) brightness, `labelled` (g, g) bool. None where the picture leaves no room for one.
    """
    free = ~ndimage.binary_dilation(labelled) & (picture > BLACK)
    if free.sum() < 4 * SMALLEST_OBJECT:
        return None
    inside = np.argwhere(free)
    y, x = inside[random.integers(len(inside))]
    rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]]
    angle, ratio = random.uniform(0, np.pi), np.exp(random.normal(0, 0.4))
    radius = np.exp(random.uniform(np.log(2.5), np.log(picture.shape[0] / 6)))
    along = (columns - x) * np.cos(angle) + (rows - y) * np.sin(angle)
    across = (rows - y) * np.cos(angle) - (columns - x) * np.sin(angle)
    ellipse = (along / (radius * ratio)) ** 2 + (across * ratio / radius) ** 2 <= 1
    similar = np.abs(ndimage.gaussian_filter(picture, 0.7) - picture[y, x]) < random.uniform(12, 60)
    parts, _ = ndimage.label(ndimage.binary_opening(ellipse & free & similar))
    if parts[y, x] == 0:
        return None
    region = ndimage.binary_fill_holes(parts == parts[y, x]) & free
    return region if region.sum() >= SMALLEST_OBJECT else None


def as_another_patient(view: LabelledView, random: np.random.Generator, share: float) -> LabelledView:
    """`share` of the slices of a one-patient volume, made into another patient's; any other view as it is."""
    if view.image_id.split("/")[0] in ONE_PATIENT and random.random() < share:
        return synthesise(view, random)
    return view


def object_in(region: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The whole region of a class, or, now and then, one of its connected parts."""
    if random.random() < 0.6:
        return region
    parts, count = ndimage.label(region)
    sizes = np.bincount(parts.ravel(), minlength=count + 1)[1:]
    large = np.nonzero(sizes >= SMALLEST_OBJECT)[0]
    return parts == 1 + random.choice(large) if len(large) else region
