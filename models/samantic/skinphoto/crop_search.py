"""A label map -> the square crops that are fit for diagnosis, the best first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from samantic.skinphoto.crop_rule import CropRule
from samantic.skinphoto.window_counts import WindowCounts

SIDES = (1.0, 0.7, 0.5, 0.35, 0.25)
"""Of windows, in units of the shorter side of the picture."""

OVERLAP = 0.3
"""Intersection over union of two crops of a photograph, at most."""

MOST = 5
"""Crops of a photograph."""


@dataclass(frozen=True)
class Crop:
    """A square of `side` pixels with its upper left corner at column `left` and row `top`.

    `skin` and `lesion` are the shares of its pixels, 0 to 1; skin counts the lesion as well.
    """

    left: int
    top: int
    side: int
    skin: float
    lesion: float


@dataclass(frozen=True)
class CropSearch:
    """How crops are looked for; ValueError for what is out of range.

    `sides` of windows in units of the picture's shorter side; `overlap` the largest intersection over union of two
    crops; `most` crops of a picture. Source: ours.
    """

    rule: CropRule = field(default_factory=CropRule)
    sides: tuple[float, ...] = SIDES
    overlap: float = OVERLAP
    most: int = MOST

    def __post_init__(self) -> None:
        if not self.sides or not all(0 < side <= 1 for side in self.sides):
            raise ValueError(f"The sides of windows must be more than 0 and at most 1, not {self.sides}.")
        if not 0 <= self.overlap <= 1:
            raise ValueError(f"The overlap of crops must be 0 to 1, not {self.overlap}.")
        if self.most < 1:
            raise ValueError(f"At least one crop of a picture must be allowed, not {self.most}.")

    def crops(self, labels: np.ndarray) -> tuple[Crop, ...]:
        """The crops of a label map (rows, cols) uint8, see `classes`; none where nothing qualifies.

        Every window of every size at every pixel is judged by its exact counts. See `best` for the choice among those
        that qualify, and `WindowCounts` for what is raised.
        """
        counts = WindowCounts(labels)
        return self.best(self.qualifying(side, *counts.of(side)) for side in self.sides_of(labels.shape))

    def sides_of(self, shape: tuple[int, ...]) -> list[int]:
        """The sides of the windows of a picture in pixels, largest first."""
        return sorted({max(1, int(min(shape) * side + 0.5)) for side in self.sides}, reverse=True)

    def qualifying(self, side: int, skin: np.ndarray, lesion: np.ndarray) -> np.ndarray:
        """Windows that qualify, (5, N) int32: left, top, side, pixels of skin, of lesion; from counts by corner."""
        tops, lefts = np.nonzero(self.rule.enough(skin, lesion, side * side))
        found = np.empty((5, len(tops)), np.int32)
        found[0], found[1], found[2], found[3], found[4] = lefts, tops, side, skin[tops, lefts], lesion[tops, lefts]
        return found

    def best(self, qualifying: Iterable[np.ndarray]) -> tuple[Crop, ...]:
        """Choose by lesion times skin share, without those that overlap a better one by more than `overlap`.

        Of equals the larger one, then the upper one, then the left one.
        """
        found = np.concatenate(list(qualifying), axis=1)
        kept: list[Crop] = []
        areas = found[2].astype(np.float64) ** 2
        skin, lesion = found[3] / areas, found[4] / areas
        score = lesion * skin
        while len(score) and len(kept) < self.most:
            # The first of the highest: windows come large before small, and row by row.
            first = int(score.argmax())
            if score[first] < 0:
                break
            left, top, side = (int(found[line, first]) for line in range(3))
            kept.append(Crop(left, top, side, float(skin[first]), float(lesion[first])))
            shared = _shared(found[0], found[2], left, side) * _shared(found[1], found[2], top, side)
            score[shared > self.overlap * (areas + areas[first] - shared)] = -1
            score[first] = -1
        return tuple(kept)


def _shared(starts: np.ndarray, sides: np.ndarray, start: int, side: int) -> np.ndarray:
    """How much intervals have in common with one."""
    return np.maximum(np.minimum(starts + sides, start + side) - np.maximum(starts, start), 0)
