"""Means with bootstrap intervals, drawn by patient where images belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class MeanWithInterval:
    """A mean, its 95 % bootstrap interval, the number of values and of independent groups."""

    mean: float
    low: float
    high: float
    count: int
    groups: int

    def __str__(self) -> str:
        if self.groups == 1:
            return f"{self.mean:.3f} (one patient, no interval)"
        return f"{self.mean:.3f} ({self.low:.3f}-{self.high:.3f})"


def mean_with_interval(
    values: Sequence[float], groups: Sequence[str] | None = None, draws: int = 2000, seed: int = 0
) -> MeanWithInterval:
    """Return the mean with its percentile bootstrap interval (Efron 1979).

    `groups` names the patient or volume of each value: slices of one volume are not independent, so whole groups are
    drawn. ValueError without values.
    """
    if not len(values):
        raise ValueError("There are no values to take the mean of.")
    names, index = np.unique(groups if groups is not None else np.arange(len(values)).astype(str), return_inverse=True)
    sums = np.bincount(index, weights=np.asarray(values, dtype=np.float64))
    counts = np.bincount(index)
    drawn = np.random.default_rng(seed).integers(len(names), size=(draws, len(names)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.percentile(means, (2.5, 97.5))
    return MeanWithInterval(float(np.mean(values)), float(low), float(high), len(values), len(names))


def paired_difference(
    first: Sequence[float],
    second: Sequence[float],
    groups: Sequence[str] | None = None,
    draws: int = 2000,
    seed: int = 0,
) -> MeanWithInterval:
    """Return the mean of `first` minus `second`, measured on the same structures, with its bootstrap interval.

    Differences are drawn, not the two rows apart, so what makes a structure hard for both takes no part in the
    interval. ValueError without values, or if they are not as many.
    """
    if len(first) != len(second):
        raise ValueError(f"Paired values are as many on both sides; these are {len(first)} and {len(second)}.")
    return mean_with_interval(np.subtract(first, second).tolist(), groups, draws, seed)
