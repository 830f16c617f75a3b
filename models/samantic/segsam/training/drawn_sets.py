"""Views drawn from several data sets, each as often as its share says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from samantic.datasets.labelled_view import LabelledView
from samantic.segsam.manifest import TrainingManifest
from samantic.training import TrainingError


class DrawnSets:
    """Data sets with their shares of what is drawn; TrainingError says which share or which set does not do."""

    def __init__(self, sets: Mapping[str, Sequence[LabelledView]], shares: Mapping[str, float]) -> None:
        self._sets = sets
        self._names, self._weights = _checked(sets, shares)
        self.identity: dict[str, Any] = {
            "shares": dict(shares),
            "views": {name: len(sets[name]) for name in self._names},
        }
        """What a resumed run must agree in."""

    def manifest(self) -> TrainingManifest:
        """The images of the sets that are drawn from."""
        drawn = [name for name, weight in zip(self._names, self._weights, strict=True) if weight > 0]
        return TrainingManifest.of({name: [image_of(view) for view in self._sets[name]] for name in drawn})

    def draw(self, count: int, random: np.random.Generator) -> list[LabelledView]:
        """Draw `count` views, with replacement."""
        names = random.choice(self._names, size=count, p=self._weights)
        return [self._sets[name][int(random.integers(len(self._sets[name])))] for name in names]


def image_of(view: LabelledView) -> str:
    """The image that a view shows: slices are named `image/axis/index`."""
    return view.image_id.split("/")[0]


def _checked(sets: Mapping[str, Sequence[LabelledView]], shares: Mapping[str, float]) -> tuple[list[str], np.ndarray]:
    """The names of the sets and how probable each is; a set that is never drawn need not hold anything."""
    names = list(sets)
    unknown = sorted(shares.keys() ^ sets.keys())
    if unknown:
        raise TrainingError(
            f"Every data set needs its share, and every share its data set; '{unknown[0]}' has only one of the two. "
            f"The sets are {', '.join(names)}."
        )
    weights = np.array([shares[name] for name in names], dtype=np.float64)
    if not len(names) or (weights < 0).any() or weights.sum() <= 0:
        raise TrainingError(f"Shares must not be negative, and one must be above 0; they are {dict(shares)}.")
    empty = [name for name, weight in zip(names, weights, strict=True) if weight > 0 and not len(sets[name])]
    if empty:
        raise TrainingError(f"The data set '{empty[0]}' has a share of {shares[empty[0]]} but holds no picture.")
    return names, weights / weights.sum()
