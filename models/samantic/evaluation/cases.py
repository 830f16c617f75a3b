"""What is measured: the structures of labelled views."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from samantic.datasets.labelled_view import LabelledView

SMALLEST_STRUCTURE = 25
"""Pixels; in smaller structures one pixel more or less decides about the Dice."""

SCANNED_DOMAINS = ("ct", "mr")
"""Their spacing is in millimetres; other pictures do not say how large they are, and one pixel counts as one unit."""

Item = TypeVar("Item")


@dataclass(frozen=True, eq=False)
class Case:
    """One structure of one view, `truth` (H, W) bool: all pixels of one class."""

    view: LabelledView
    class_name: str
    truth: np.ndarray

    @property
    def group(self) -> str:
        """The image or volume that the view is a slice of: its slices are not independent."""
        return self.view.image_id.rsplit("/axis", 1)[0]

    @property
    def unit(self) -> str:
        return "mm" if self.view.domain in SCANNED_DOMAINS else "px"

    @property
    def random(self) -> np.random.Generator:
        """A fresh generator, seeded by the structure: any two models meet the same boxes, in any order and subset."""
        return np.random.default_rng((7, zlib.crc32(f"{self.view.image_id}|{self.class_name}".encode())))


def cases_of(views: Iterable[LabelledView], smallest: int = SMALLEST_STRUCTURE) -> Iterator[Case]:
    """Yield the structures with at least `smallest` pixels, view by view."""
    for view in views:
        counts = np.bincount(view.labels.ravel().clip(min=0))
        for value in np.flatnonzero(counts >= smallest):
            if value > 0:
                yield Case(view, view.class_names[value - 1], view.labels == value)


def middle_slices(views: Iterable[LabelledView]) -> Iterator[LabelledView]:
    """Yield the middle one of each volume's views along each axis: neighbours show the same thing again."""
    for _, same in itertools.groupby(views, key=lambda view: view.image_id.rsplit("-", 1)[0]):
        stack = list(same)
        yield stack[len(stack) // 2]


def axial_slices(views: Iterable[LabelledView]) -> Iterator[LabelledView]:
    """Yield the views across a volume's third axis."""
    return (view for view in views if "/axis2-" in view.image_id)


def drawn(items: Iterable[Item], count: int, seed: int = 0) -> list[Item]:
    """Return up to `count` items, all equally likely, holding no more of them in memory (Vitter 1985, algorithm R)."""
    random, kept = np.random.default_rng(seed), []
    for index, item in enumerate(items):
        if index < count:
            kept.append(item)
        elif (place := int(random.integers(index + 1))) < count:
            kept[place] = item
    return kept


def evenly(open_items: Callable[[], Iterable[Item]], count: int, limit: int | None) -> Iterator[Item]:
    """Yield at most `limit` of `count` items, spread evenly over all, without holding the others in memory."""
    if limit is None or count <= limit:
        return iter(open_items())
    wanted = set(np.linspace(0, count - 1, limit).astype(int).tolist())
    return (item for index, item in enumerate(open_items()) if index in wanted)
