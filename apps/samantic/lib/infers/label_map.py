"""Masks of the prompted objects -> one label map, with values that mean something."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from samantic.app.lib.infers.request import InferRequest
from samantic.app.lib.infers.sessions import Extent
from samantic.imaging import SliceView
from samantic.segsam import ObjectPrediction


@dataclass(frozen=True)
class LabelValues:
    """Mask values: `names` maps what a value means to the value, `of_object` holds the value of each object."""

    names: dict[str, int]
    of_object: tuple[int, ...]


def label_values(request: InferRequest, predictions: Sequence[ObjectPrediction]) -> LabelValues:
    """Values 1...n in the order of the request's classes, otherwise of its objects; one object alone is 1."""
    if request.classes:
        names = {name: value for value, name in enumerate(request.classes, start=1)}
        return LabelValues(names, tuple(names[prediction.predicted_class] for prediction in predictions))
    names = {}
    for number, (one, prediction) in enumerate(zip(request.objects, predictions, strict=True), start=1):
        only_label = request.label if len(request.objects) == 1 else None
        names[_unused(one.label or only_label or prediction.predicted_class, names)] = number
    return LabelValues(names, tuple(range(1, len(predictions) + 1)))


def label_map(predictions: Sequence[ObjectPrediction], values: Sequence[int]) -> np.ndarray:
    """Draw the objects into one map (rows, cols) uint8; where they overlap, the surer one wins."""
    labels = np.zeros(predictions[0].mask.shape, np.uint8)
    surest = np.full(labels.shape, -np.inf, np.float32)
    for prediction, value in zip(predictions, values, strict=True):
        wins = prediction.mask & (prediction.mask_logits > surest)
        labels[wins] = value
        surest[wins] = prediction.mask_logits[wins]
    return labels


def extent_of(labels: np.ndarray, view: SliceView) -> Extent | None:
    """Half-open voxel bounds (x0, x1, y0, y1, z0, z1) of what is drawn in a view, None if nothing is."""
    rows, cols = np.flatnonzero(labels.any(axis=1)), np.flatnonzero(labels.any(axis=0))
    if not len(rows):
        return None
    lower, upper = view.box_to_ijk((int(cols[0]), int(rows[0]), int(cols[-1]) + 1, int(rows[-1]) + 1))
    return lower[0], upper[0], lower[1], upper[1], lower[2], upper[2]


def union(one: Extent | None, other: Extent | None) -> Extent | None:
    """The smallest extent that holds both."""
    if one is None or other is None:
        return one or other
    lower = [min(one[n], other[n]) for n in (0, 2, 4)]
    upper = [max(one[n], other[n]) for n in (1, 3, 5)]
    return lower[0], upper[0], lower[1], upper[1], lower[2], upper[2]


def _unused(name: str, taken: Mapping[str, int]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free
