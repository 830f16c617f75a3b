"""Images and their labels -> the slices that a round learns from, with what the head is to answer on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from samantic.datasets.studies import LabelledImage
from samantic.imaging import SliceView, Volume, read_mask, read_volume, to_uint8, window_for
from samantic.sam import EmbeddingKey
from samantic.segsam.input_transform import InputTransform
from samantic.segsam.predictor import SegSamPredictor

OBJECTS = 8
"""Kept of a phantom's slice."""

UNNAMED = 255
"""In label pictures: a value that nobody gave a class, which is neither class nor background."""


@dataclass(frozen=True, eq=False)
class StudySlice:
    """One slice of an image, labelled or not.

    `classes` are the indices of the network's classes that its labels would show; none without labels. `shares`
    (1 + C, g, g) float16 says how much of each cell of the head's map is background and each of `classes`.
    `labels` (rows, cols) uint8, 0 background, n the n-th of `classes` or `UNNAMED`, is there for validation only.
    `picture` reads (rows, cols, 3) uint8. `objects` (g, g) bool are regions that could be prompted, of pictures whose
    objects are known but not learned from.
    """

    image_id: str
    key: EmbeddingKey
    transform: InputTransform
    picture: Callable[[], np.ndarray]
    classes: tuple[int, ...]
    shares: torch.Tensor
    labels: np.ndarray | None = None
    objects: tuple[np.ndarray, ...] = ()


class SliceReader:
    """Reads the slices of images for a network, whose head's maps have the side `grid`.

    At most `count` slices of an image, `empty_share` of them without a label, divided evenly among `axes`.
    """

    def __init__(
        self, predictor: SegSamPredictor, grid: int, axes: Sequence[int], count: int, empty_share: float
    ) -> None:
        self._predictor, self._grid = predictor, grid
        self._axes, self._count, self._empty_share = tuple(axes), count, empty_share
        self._volumes = LastVolume()

    def labelled(self, image: LabelledImage, classes: Mapping[int, int], keep_labels: bool) -> list[StudySlice]:
        """Slices of a labelled image; `classes` maps label values to indices of the network's classes.

        ImageReadError if the image or its label cannot be read.
        """
        read = partial(self._volumes.read, image.image)
        volume = read()
        labels = read_mask(image.label, volume)
        indices = tuple(sorted(set(classes.values())))
        named = np.full(int(max(labels.max(), 0)) + 1, UNNAMED, dtype=np.uint8)
        named[0] = 0
        for value, index in classes.items():
            if value < len(named):
                named[value] = indices.index(index) + 1
        shown = named[labels]
        found = []
        for axis, count in zip(self._axes, _divided(self._count, len(self._axes)), strict=True):
            has_label = ((shown > 0) & (shown < UNNAMED)).any(axis=tuple({0, 1, 2} - {axis}))
            for index in chosen_slices(has_label, count, self._empty_share):
                view = SliceView.of(volume, axis, index)
                found.append(self._slice(image.image_id, read, volume, view, indices, shown, keep_labels))
        return found

    def unlabelled(self, path: Path) -> list[StudySlice]:
        """Slices of an image without labels; ImageReadError if it cannot be read."""
        read = partial(self._volumes.read, path)
        volume = read()
        return [
            self._slice(path.name, read, volume, SliceView.of(volume, axis, index), (), None, False)
            for axis, count in zip(self._axes, _divided(self._count, len(self._axes)), strict=True)
            for index in evenly(range(volume.shape_ijk[axis]), count)
        ]

    def of_phantom(self, image_id: str, volume: Volume, truth: np.ndarray, indices: Sequence[int]) -> list[StudySlice]:
        """Slices of an image in memory along its axis 2, without labels; `truth` (I, J, K) tells its objects apart."""
        found = []
        for index in indices:
            view = SliceView.of(volume, 2, index)
            item = self._slice(image_id, lambda: volume, volume, view, (), None, False)
            found.append(replace(item, objects=_objects(view.extract(truth), item.transform, self._grid)))
        return found

    def _slice(
        self,
        image_id: str,
        read: Callable[[], Volume],
        volume: Volume,
        view: SliceView,
        classes: tuple[int, ...],
        shown: np.ndarray | None,
        keep_labels: bool,
    ) -> StudySlice:
        key = self._predictor.embedding_key(volume.content_hash, view.key, window_for(volume).key)
        transform = self._predictor.network.input_transform(view.shape, view.spacing_yx_mm)
        labels = np.zeros(view.shape, np.uint8) if shown is None else np.ascontiguousarray(view.extract(shown))
        values = range(len(classes) + 1)
        shares = torch.cat(
            [transform.grid_logits((labels == value).astype(np.float32), self._grid, 0.0) for value in values]
        )
        picture = partial(_picture, read, view)
        return StudySlice(image_id, key, transform, picture, classes, shares.half(), labels if keep_labels else None)


class LastVolume:
    """Keeps the image that was read last: the slices of one image are mostly asked for one after the other."""

    def __init__(self) -> None:
        self._last: tuple[Path, Volume] | None = None

    def read(self, path: Path) -> Volume:
        if self._last is None or self._last[0] != path:
            self._last = path, read_volume(path)
        return self._last[1]


def _picture(read: Callable[[], Volume], view: SliceView) -> np.ndarray:
    volume = read()
    return to_uint8(view.extract(volume.array), window_for(volume))


def _objects(truth: np.ndarray, transform: InputTransform, grid: int) -> tuple[np.ndarray, ...]:
    """The largest objects of a slice, as the head's maps show them."""
    values, sizes = np.unique(truth[truth > 0], return_counts=True)
    largest = values[np.argsort(-sizes)[:OBJECTS]]
    regions = [transform.grid_logits((truth == value).astype(np.float32), grid, 0.0)[0] >= 0.5 for value in largest]
    return tuple(region.numpy() for region in regions if region.any())


def chosen_slices(has_label: np.ndarray, count: int, empty_share: float) -> list[int]:
    """At most `count` indices, evenly among the slices with a label and, for a share of them, among those without."""
    labelled, empty = np.flatnonzero(has_label).tolist(), np.flatnonzero(~has_label).tolist()
    some_empty = min(len(empty), round(count * empty_share) if labelled else count)
    of_labelled = evenly(labelled, max(1, count - some_empty))
    return sorted([*of_labelled, *evenly(empty, min(some_empty, count - len(of_labelled)))])


def evenly(indices: Sequence[int], count: int) -> list[int]:
    """At most `count` of some indices, as far apart as they can be."""
    if len(indices) <= count:
        return list(indices)
    return [indices[int((step + 0.5) * len(indices) / count)] for step in range(count)]


def _divided(count: int, parts: int) -> list[int]:
    return [max(1, count // parts + (part < count % parts)) for part in range(parts)]
