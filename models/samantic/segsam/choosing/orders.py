"""Orders in which to label images; each is a list of places in the arrays that were given, the first one first."""

from __future__ import annotations

import numpy as np

UNCERTAIN_SHARE = 1 / 3
LEAST_PRESELECTED = 8


def uncertainty_order(uncertainties: np.ndarray) -> list[int]:
    """The most uncertain first; equal ones in the order given. uncertainties: (N,)."""
    return np.argsort(-np.asarray(uncertainties), kind="stable").tolist()


def k_center_order(embeddings: np.ndarray, covered: np.ndarray, count: int | None = None) -> list[tuple[int, float]]:
    """`count` places (default: all) and their distances: each the farthest from all that is covered by then.

    embeddings: (N, D) to choose from; covered: (M, D), may be empty: then the first is the one nearest to the mean,
    with its distance from it. Greedy k-center (Sener and Savarese, Active Learning for Convolutional Neural Networks: A
    Core-Set Approach, arXiv 1708.00489, algorithm 1).
    """
    points = np.asarray(embeddings, dtype=np.float64)
    count = len(points) if count is None else min(count, len(points))
    chosen: list[tuple[int, float]] = []
    if count and not len(covered):
        from_mean = np.linalg.norm(points - points.mean(axis=0), axis=1)
        first = int(from_mean.argmin())
        chosen.append((first, float(from_mean[first])))
        covered = points[[first]]
    nearest = np.full(len(points), np.inf)
    for one in np.asarray(covered, dtype=np.float64):
        nearest = np.minimum(nearest, np.linalg.norm(points - one, axis=1))
    nearest[[place for place, _ in chosen]] = -np.inf
    while len(chosen) < count:
        place = int(nearest.argmax())
        chosen.append((place, float(nearest[place])))
        nearest = np.minimum(nearest, np.linalg.norm(points - points[place], axis=1))
        nearest[[place for place, _ in chosen]] = -np.inf
    return chosen


def preselected(count: int) -> int:
    """How many of `count` images are uncertain enough for `hybrid_order` to choose among them."""
    return max(min(LEAST_PRESELECTED, count), round(UNCERTAIN_SHARE * count))


def hybrid_order(
    uncertainties: np.ndarray, embeddings: np.ndarray, covered: np.ndarray, count: int | None = None
) -> list[tuple[int, float]]:
    """As `k_center_order` among the most uncertain third, at least 8; the others follow, the most uncertain first.

    First uncertain, then unlike each other and what is labelled: the two steps of Suggestive Annotation (Yang et al.,
    MICCAI 2017, arXiv 1706.04737, section 2.3), with k-center in place of their cover by similarity. The distance of
    those that follow is nan.
    """
    order = uncertainty_order(uncertainties)
    first, rest = order[: preselected(len(order))], order[preselected(len(order)) :]
    ranked = k_center_order(np.asarray(embeddings)[first], covered, count) if first else []
    chosen = [(first[place], distance) for place, distance in ranked]
    chosen += [(place, float("nan")) for place in rest]
    return chosen[: len(order) if count is None else count]
