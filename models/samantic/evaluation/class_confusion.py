"""Which class was taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class ClassConfusion:
    """Names given to structures, beside always giving the commonest one.

    `matrix` (T, P) int counts structures of `true_names` (T), commonest first, by the name they got: `given_names` (P)
    are the same names, then those that none of the structures has. `macro_top1` is the mean over classes of the share
    named rightly, so that rare classes count as much as common ones.
    """

    true_names: tuple[str, ...]
    given_names: tuple[str, ...]
    matrix: np.ndarray
    top1: float
    top3: float
    macro_top1: float

    @property
    def commonest_top1(self) -> float:
        """Top-1 of always saying the set's commonest class: what is right without looking at the image."""
        return float(self.matrix.sum(axis=1).max() / self.matrix.sum())

    @property
    def commonest_macro_top1(self) -> float:
        return 1 / len(self.true_names)


def class_confusion(truth: Sequence[str], rankings: Sequence[Sequence[str]]) -> ClassConfusion:
    """Compare true names with rankings, likeliest first; ValueError without any, or if they are not as many."""
    if not truth or len(truth) != len(rankings) or not all(rankings):
        raise ValueError(f"Every structure needs a ranking: there are {len(truth)} and {len(rankings)}.")
    true_names = sorted(set(truth), key=lambda name: (-truth.count(name), name))
    given = [ranking[0] for ranking in rankings]
    others = sorted(set(given) - set(true_names), key=lambda name: (-given.count(name), name))
    names = [*true_names, *others]
    matrix = np.zeros((len(true_names), len(names)), dtype=np.int64)
    for true, said in zip(truth, given, strict=True):
        matrix[true_names.index(true), names.index(said)] += 1
    right = np.diagonal(matrix)
    return ClassConfusion(
        true_names=tuple(true_names),
        given_names=tuple(names),
        matrix=matrix,
        top1=float(right.sum() / matrix.sum()),
        top3=float(np.mean([true in ranking[:3] for true, ranking in zip(truth, rankings, strict=True)])),
        macro_top1=float(np.mean(right / matrix.sum(axis=1))),
    )
