"""How often a model says that it is unsure of a name, and whether it is right to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Rate:
    """So many of so many."""

    count: int
    of: int

    @property
    def share(self) -> float | None:
        return self.count / self.of if self.of else None

    def __str__(self) -> str:
        return "none there" if not self.of else f"{self.count} of {self.of} ({self.count / self.of:.0%})"


@dataclass(frozen=True)
class UnsureRates:
    """Unsure answers among rightly and wrongly named structures and those of classes that the model does not know.

    A good model is unsure of few of the first and of many of the others; `right_where_sure` says what a name is worth
    that was given without doubt, and counts a structure of an unknown class as wrong.
    """

    right: Rate
    wrong: Rate
    unknown: Rate
    right_where_sure: Rate


def unsure_rates(unsure: Sequence[bool], correct: Sequence[bool | None]) -> UnsureRates:
    """Count answers; `correct` is None for a class that the model does not know. ValueError if they are not as many."""
    if len(unsure) != len(correct):
        raise ValueError(f"Every answer is unsure or not: there are {len(correct)} answers and {len(unsure)}.")

    def rate(kind: bool | None) -> Rate:
        mine = [doubt for doubt, right in zip(unsure, correct, strict=True) if right is kind]
        return Rate(sum(mine), len(mine))

    sure = [bool(right) for doubt, right in zip(unsure, correct, strict=True) if not doubt]
    return UnsureRates(rate(True), rate(False), rate(None), Rate(sum(sure), len(sure)))
