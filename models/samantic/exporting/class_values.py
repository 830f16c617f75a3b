"""One value for each class, the same in every image."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from samantic.exporting.errors import ExportError
from samantic.exporting.label_names import meant_class
from samantic.exporting.studies import LabelledStudy

BACKGROUND = "background"
MAX_CLASSES = 65535


@dataclass(frozen=True)
class ClassValues:
    """The classes that are drawn anywhere, with the values 1...n in their order."""

    names: tuple[str, ...]

    @cached_property
    def _values(self) -> dict[str, int]:
        return {_key(name): value for value, name in enumerate(self.names, start=1)}

    def value(self, name: str) -> int:
        """Return the value of a class, 0 for the background."""
        return 0 if _key(name) == BACKGROUND else self._values[_key(name)]

    def translated(self, study: LabelledStudy, labels: np.ndarray) -> np.ndarray:
        """Return the labels of a study (I, J, K) with these values in place of its own."""
        table = np.zeros(int(labels.max()) + 1, np.uint8 if len(self.names) < 256 else np.uint16)
        for value in np.unique(labels):
            if value:
                table[value] = self.value(study.names[int(value)])
        return table[labels]


def class_values(studies: Sequence[LabelledStudy], read: Callable[[LabelledStudy], np.ndarray]) -> ClassValues:
    """Return the values of all classes that the labels of `studies` show.

    The vocabulary's classes come first, by name, then the others. read: gives the labels of a study.
    Raises ExportError where nothing is drawn in any label. Source: ours.
    """
    found: dict[str, str] = {}
    for study in studies:
        for value in np.unique(read(study)):
            if value:
                name = study.names[int(value)]
                found.setdefault(_key(name), name)
    found.pop(BACKGROUND, None)
    if not found:
        raise ExportError("Nothing is drawn in any of the labels; there is nothing to export.")
    return ClassValues(tuple(sorted(found.values(), key=lambda name: (meant_class(name) is None, _key(name)))))


def unique_names(image_ids: Iterable[str]) -> dict[str, str]:
    """Return id -> a file name without suffix that no other image has, also where capitals do not count."""
    taken: set[str] = set()
    names = {}
    for image_id in image_ids:
        name, number = image_id, 2
        while name.casefold() in taken:
            name, number = f"{image_id}-{number}", number + 1
        taken.add(name.casefold())
        names[image_id] = name
    return names


def _key(name: str) -> str:
    return name.casefold()
