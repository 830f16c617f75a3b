"""What a generated lesion shall be like: its diagnosis, its size and its place."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

Diagnosis = Literal["nevus", "melanoma", "seborrheic_keratosis"]
DIAGNOSES: tuple[Diagnosis, ...] = get_args(Diagnosis)

LARGEST_AREA = 0.98
AREA_JITTER, CENTRE_JITTER = 0.15, 0.03


@dataclass(frozen=True)
class LesionCondition:
    """`area` is the lesion's share of the image, `centre_yx` its centre of mass in 0 to 1; what is None is left open.

    ValueError: a value out of range or an unknown diagnosis.
    """

    diagnosis: Diagnosis | None = None
    area: float | None = None
    centre_yx: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.diagnosis is not None and self.diagnosis not in DIAGNOSES:
            raise ValueError(f"'{self.diagnosis}' is no diagnosis of the generator; it knows {', '.join(DIAGNOSES)}.")
        if self.area is not None and not 0 <= self.area <= 1:
            raise ValueError(f"The lesion's area is a share of the image, 0 to 1, not {self.area}.")
        if self.centre_yx is not None and not (
            len(self.centre_yx) == 2 and all(0 <= coordinate <= 1 for coordinate in self.centre_yx)
        ):
            raise ValueError(f"The lesion's centre is (y, x) with 0 to 1 each, not {self.centre_yx}.")


def condition_of(mask: np.ndarray, diagnosis: Diagnosis | None = None) -> LesionCondition:
    """Measure the condition that a mask (rows, cols) fulfils; an empty one has the area 0 and no centre."""
    rows, columns = np.nonzero(mask)
    if not len(rows):
        return LesionCondition(diagnosis, 0.0, None)
    height, width = mask.shape
    centre = float((rows.mean() + 0.5) / height), float((columns.mean() + 0.5) / width)
    return LesionCondition(diagnosis, len(rows) / mask.size, centre)


@dataclass(frozen=True)
class ConditionDistribution:
    """The measured lesions of a training set: `lesions` maps a diagnosis to its (area, y, x), each 0 to 1.

    Lesions without a known diagnosis stand under the empty name.
    """

    lesions: Mapping[str, tuple[tuple[float, float, float], ...]]

    @classmethod
    def of(cls, conditions: Sequence[LesionCondition]) -> ConditionDistribution:
        """Collect measured conditions; those of empty masks are left out."""
        lesions: dict[str, list[tuple[float, float, float]]] = {}
        for condition in conditions:
            if condition.area and condition.centre_yx:
                measured = tuple(round(value, 3) for value in (condition.area, *condition.centre_yx))
                lesions.setdefault(condition.diagnosis or "", []).append(measured)  # type: ignore[arg-type]
        return cls({name: tuple(lesions[name]) for name in sorted(lesions)})

    def draw(self, random: np.random.Generator, diagnosis: Diagnosis | None = None) -> LesionCondition:
        """Draw a lesion's condition, near to one that was measured but not equal to it.

        Without a diagnosis it is drawn too, as often as it was met. ValueError: none was measured for the diagnosis.
        """
        if diagnosis is None:
            names = list(self.lesions)
            counts = np.array([len(self.lesions[name]) for name in names], dtype=float)
            if not counts.sum():
                raise ValueError("The generator has measured no lesion whose size and place could be drawn.")
            drawn = names[int(random.choice(len(names), p=counts / counts.sum()))] or None
        else:
            drawn = diagnosis
        measured = self.lesions.get(drawn or "")
        if not measured:
            known = ", ".join(name for name in self.lesions if name) or "none"
            raise ValueError(f"The generator has learned from no lesion with the diagnosis '{drawn}', only: {known}.")
        area, y, x = measured[int(random.integers(len(measured)))]
        area = min(area * float(np.exp(random.normal(0, AREA_JITTER))), LARGEST_AREA)
        y, x = (float(np.clip(value + random.normal(0, CENTRE_JITTER), 0.02, 0.98)) for value in (y, x))
        return LesionCondition(drawn, area, (y, x))  # type: ignore[arg-type]

    def to_json(self) -> str:
        return json.dumps(self.lesions, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> ConditionDistribution:
        """Read what `to_json` wrote; ValueError says what is wrong with it."""
        values = json.loads(text)
        if not isinstance(values, dict) or not all(isinstance(rows, list) for rows in values.values()):
            raise ValueError("a distribution of conditions maps diagnoses to lists of [area, y, x]")
        lesions: dict[str, tuple[tuple[float, float, float], ...]] = {}
        for name, rows in values.items():
            if name and name not in DIAGNOSES:
                raise ValueError(f"'{name}' is no diagnosis")
            if not all(_is_lesion(row) for row in rows):
                raise ValueError("a measured lesion is [area, y, x] with numbers from 0 to 1")
            lesions[name] = tuple((float(row[0]), float(row[1]), float(row[2])) for row in rows)
        return cls(lesions)


def _is_lesion(row: object) -> bool:
    return (
        isinstance(row, list)
        and len(row) == 3
        and all(isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1 for value in row)
    )
