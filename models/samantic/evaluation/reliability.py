"""Whether a probability of 80 % means right in 80 % of the cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from samantic.evaluation.intervals import MeanWithInterval

BINS = 15
"""As in Guo et al. 2017."""


@dataclass(frozen=True)
class ReliabilityBin:
    """The answers with a confidence in (low, high]: how many, how sure on average, how often right."""

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class Reliability:
    """Bins that hold answers, in order of confidence, and the expected calibration error over them."""

    bins: tuple[ReliabilityBin, ...]

    @property
    def expected_calibration_error(self) -> float:
        """The mean of |accuracy - confidence| over the bins, weighted by their answers (Naeini et al. 2015)."""
        total = sum(one.count for one in self.bins)
        return sum(one.count * abs(one.accuracy - one.confidence) for one in self.bins) / total


def reliability(confidences: Sequence[float], correct: Sequence[bool], bins: int = BINS) -> Reliability:
    """Sort answers into bins of equal width over 0 to 1 (Guo et al. 2017); ValueError without answers."""
    return _binned(*_checked(confidences, correct), np.linspace(0, 1, bins + 1))


def adaptive_reliability(confidences: Sequence[float], correct: Sequence[bool], bins: int = BINS) -> Reliability:
    """Sort answers into bins of about equal count (Nixon et al. 2019); ValueError without answers.

    Equal confidences are never parted, so there may be fewer bins.
    """
    sure, right = _checked(confidences, correct)
    inner = np.quantile(sure, np.linspace(0, 1, bins + 1)[1:-1], method="inverted_cdf")
    return _binned(sure, right, np.unique(np.concatenate([[0.0], inner, [1.0]])))


def calibration_error_with_interval(
    confidences: Sequence[float],
    correct: Sequence[bool],
    groups: Sequence[str] | None = None,
    bins: int = BINS,
    draws: int = 2000,
    seed: int = 0,
) -> MeanWithInterval:
    """Return the expected calibration error over bins of equal width with its percentile bootstrap interval.

    Whole `groups` are drawn, as in `mean_with_interval`; chance makes the error of every draw a little larger, so the
    interval lies high where answers are few. ValueError without answers.
    """
    sure, right = _checked(confidences, correct)
    names, group = np.unique(groups if groups is not None else np.arange(len(sure)).astype(str), return_inverse=True)
    # A bin's count times |accuracy - confidence| is the size of the sum of its differences.
    differences = np.zeros((len(names), bins))
    np.add.at(differences, (group, _bin_index(sure, np.linspace(0, 1, bins + 1))), right - sure)
    counts = np.bincount(group)
    drawn = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
    errors = np.abs(drawn @ differences).sum(axis=1) / (drawn @ counts)
    low, high = np.percentile(errors, (2.5, 97.5))
    error = float(np.abs(differences.sum(axis=0)).sum() / len(sure))
    return MeanWithInterval(error, float(low), float(high), len(sure), len(names))


def _checked(confidences: Sequence[float], correct: Sequence[bool]) -> tuple[np.ndarray, np.ndarray]:
    sure, right = np.asarray(confidences, dtype=np.float64), np.asarray(correct, dtype=bool)
    if not len(sure) or len(sure) != len(right):
        raise ValueError(f"Every answer needs a confidence: there are {len(right)} answers and {len(sure)}.")
    if not (sure >= 0).all() or not (sure <= 1 + 1e-6).all():
        raise ValueError(f"A confidence is 0 to 1; these are {sure.min():g} to {sure.max():g}.")
    return sure.clip(0, 1), right


def _binned(sure: np.ndarray, right: np.ndarray, edges: np.ndarray) -> Reliability:
    index = _bin_index(sure, edges)
    return Reliability(
        tuple(
            ReliabilityBin(
                low=float(edges[number]),
                high=float(edges[number + 1]),
                count=int((index == number).sum()),
                confidence=float(sure[index == number].mean()),
                accuracy=float(right[index == number].mean()),
            )
            for number in np.unique(index)
        )
    )


def _bin_index(sure: np.ndarray, edges: np.ndarray) -> np.ndarray:
    # Bins are open below and closed above; 0 belongs to the first.
    return np.clip(np.searchsorted(edges, sure, side="left") - 1, 0, len(edges) - 2)
