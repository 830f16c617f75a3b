"""Two label maps of one image, and what their values mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from samantic.datasets.studies import class_of_segment, class_of_value
from samantic.evaluation import dice
from samantic.imaging import Volume, read_mask


@dataclass(frozen=True, eq=False)
class LabelMap:
    """Labels (I, J, K) in the grid of their image, and value -> class; no classes where nothing says which."""

    labels: np.ndarray
    class_of_value: Mapping[int, str]

    @classmethod
    def read(cls, path: Path, image: Volume, notes: Mapping[str, Any]) -> LabelMap:
        """Read a label file with what is noted about it. Raises ImageReadError."""
        return cls(read_mask(path, image), class_of_value(notes) or class_of_segment(path))

    def of(self, name: str) -> np.ndarray:
        """(I, J, K) bool: where a class is."""
        return np.isin(self.labels, [value for value, meant in self.class_of_value.items() if meant == name])


def dice_by_class(truth: LabelMap, predicted: LabelMap) -> dict[str, float]:
    """Dice of every class that `truth` speaks of and at least one of the two shows.

    A class that only `predicted` knows is not scored: a person who did not look for it has not said that it is absent.
    Where `predicted` says nothing about its values they mean what they mean in `truth`; where both say nothing a class
    is called by its value.
    """
    if not truth.class_of_value:
        values = np.union1d(np.unique(truth.labels), np.unique(predicted.labels))
        truth = LabelMap(truth.labels, {int(value): f"value {value}" for value in values if value})
        predicted = LabelMap(predicted.labels, truth.class_of_value)
    elif not predicted.class_of_value:
        predicted = LabelMap(predicted.labels, truth.class_of_value)
    scores = {}
    for name in dict.fromkeys(truth.class_of_value.values()):
        masks = predicted.of(name), truth.of(name)
        if masks[0].any() or masks[1].any():
            scores[name] = dice(*masks)
    return scores
