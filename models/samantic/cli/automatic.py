"""A slice without prompts: click everywhere on a grid and keep what is surely one of the classes asked for (ours)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from samantic.segsam import ImageFeatures, ObjectPrediction, SegSamPredictor, ViewPrompts

GRID = 12
CLICKS_AT_ONCE = 24
LOWEST_SCORE = 0.25
"""Of estimated IoU times class probability; below it an answer is left out."""
SAME_OBJECT = 0.4
"""IoU from which two answers of one class count as one object."""


def find_classes(
    predictor: SegSamPredictor,
    features: ImageFeatures,
    shape: tuple[int, int],
    classes: Sequence[str],
    progress: Callable[[float], None] = lambda _: None,
) -> list[ObjectPrediction]:
    """Return the objects of the classes asked for in a picture of `shape` (rows, cols), surest first.

    Every answer names its object freely; those of other classes are dropped, and of overlapping ones the surest stays.
    `progress` is called with the share that is done.
    """
    clicks = _grid(shape)
    found: list[ObjectPrediction] = []
    for start in range(0, len(clicks), CLICKS_AT_ONCE):
        some = [ViewPrompts(click[None], np.array([1])) for click in clicks[start : start + CLICKS_AT_ONCE]]
        for prediction in predictor.decode(features, some):
            if prediction.predicted_class in classes and prediction.mask.any() and score(prediction) >= LOWEST_SCORE:
                found.append(prediction)
        progress(min(1.0, (start + CLICKS_AT_ONCE) / len(clicks)))
    kept: list[ObjectPrediction] = []
    for prediction in sorted(found, key=score, reverse=True):
        if all(_iou(prediction.mask, other.mask) < SAME_OBJECT for other in kept):
            kept.append(prediction)
    return kept


def score(prediction: ObjectPrediction) -> float:
    """Return how sure the network is of where and what the object is, 0 to 1."""
    return prediction.predicted_iou * prediction.class_probabilities[prediction.predicted_class]


def _grid(shape: tuple[int, int]) -> np.ndarray:
    """Return the clicks (N, 2) as x, y, in the middle of the cells of a grid over the picture."""
    rows, columns = (np.unique(np.floor((np.arange(GRID) + 0.5) * length / GRID)) for length in shape)
    return np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)


def _iou(one: np.ndarray, other: np.ndarray) -> float:
    together = int((one & other).sum())
    return together / max(1, int(one.sum()) + int(other.sum()) - together)
