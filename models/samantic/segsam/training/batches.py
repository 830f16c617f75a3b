"""Training pictures -> prompted objects with their targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage
from torch.nn import functional

from samantic.datasets.labelled_view import LabelledView
from samantic.segsam.losses import SemanticTargets
from samantic.segsam.training.augmentation import TrainingPicture, picture_of
from samantic.vocabulary import Vocabulary

SMALLEST_OBJECT = 10
"""Pixels of the mask grid (half the picture's side); smaller regions are no objects to learn from."""


@dataclass(frozen=True)
class TrainingBatch:
    """`images` (B, 3, S, S); `objects` (N, S/2, S/2) bool, at most a few per image; `image_index` (N,)."""

    images: torch.Tensor
    objects: np.ndarray
    image_index: torch.Tensor
    targets: SemanticTargets


class BatchBuilder:
    """Draws training batches for a network that knows `class_names`.

    A class that a data set does not label is unknown on its images if it could be there (same domain), and absent if
    it cannot (another domain): a dermoscopic image holds no liver.
    """

    def __init__(
        self, class_names: Sequence[str], vocabulary: Vocabulary, picture_size: int, objects_per_image: int
    ) -> None:
        self.index_of = {name: index for index, name in enumerate(class_names)}
        self.domains = [vocabulary[name].domains for name in class_names]
        self.picture_size = picture_size
        self.objects_per_image = objects_per_image

    def build(self, views: Sequence[LabelledView], random: np.random.Generator) -> TrainingBatch | None:
        """One batch of the given views; None if no object is large enough."""
        images: list[torch.Tensor] = []
        objects: list[np.ndarray] = []
        image_index: list[int] = []
        class_index: list[int] = []
        present: list[np.ndarray] = []
        known: list[np.ndarray] = []
        for view in views:
            picture = picture_of(view, self.picture_size, random)
            regions = self._regions(view, picture)
            large = sorted(index for index, region in regions.items() if region.sum() >= SMALLEST_OBJECT)
            chosen = random.permutation(large)[: self.objects_per_image].astype(int).tolist()
            here = np.zeros(len(self.index_of), dtype=bool)
            here[large] = True
            # A sliver of a class is no object, but it would be wrong to call the class absent.
            known_here = self._known(view)
            known_here[[index for index in regions if index not in large]] = False
            for index in chosen:
                objects.append(_object_in(regions[index], random))
                image_index.append(len(images))
                class_index.append(index)
                present.append(here)
                known.append(known_here)
            images.append(picture.image)
        if not objects:
            return None
        return TrainingBatch(
            torch.stack(images),
            np.stack(objects),
            torch.tensor(image_index),
            SemanticTargets(
                torch.tensor(class_index),
                torch.from_numpy(np.stack(present)),
                torch.from_numpy(np.stack(known)),
            ),
        )

    def _regions(self, view: LabelledView, picture: TrainingPicture) -> dict[int, np.ndarray]:
        """The regions of all classes that the picture shows, however small, on the mask grid."""
        regions = {}
        for value in picture.labels.unique().tolist():
            if value == 0:
                continue
            name = view.class_names[value - 1]
            if name in self.index_of:
                share = functional.avg_pool2d((picture.labels == value).float()[None, None], 2)[0, 0]
                regions[self.index_of[name]] = (share >= 0.5).numpy()
        return regions

    def _known(self, view: LabelledView) -> np.ndarray:
        known = np.array([view.domain not in domains for domains in self.domains])
        known[[self.index_of[name] for name in view.class_names if name in self.index_of]] = True
        return known


def _object_in(region: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The whole region of a class, or, now and then, one of its connected parts."""
    if random.random() < 0.6:
        return region
    parts, count = ndimage.label(region)
    sizes = np.bincount(parts.ravel(), minlength=count + 1)[1:]
    large = np.nonzero(sizes >= SMALLEST_OBJECT)[0]
    return parts == 1 + random.choice(large) if len(large) else region
