"""What the epochs of a round came to, and whether it has had enough of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from torch import nn

from samantic.segsam.training.retraining.outcome import EpochReport, Scores
from samantic.segsam.training.retraining.watching import Watch
from samantic.training import RoundOptions
from samantic.training.epochs import Epoch

Network = TypeVar("Network")


class Course:
    """Notes every epoch and tells whoever watches; `before` are the scores of the start."""

    def __init__(self, options: RoundOptions, before: Scores, watch: Watch) -> None:
        self._options, self._before, self._watch = options, before, watch
        self.reports: list[EpochReport] = []

    def best(
        self,
        epochs: Iterable[Epoch],
        start: Network,
        learned: Callable[[nn.Module], Network],
        scored: Callable[[Network], Scores],
    ) -> Network:
        """Go through epochs until there were enough; return the network of the highest mean Dice, `start` without one.

        `learned` takes what is published out of an epoch's network.
        """
        found = start
        for epoch in epochs:
            candidate = learned(epoch.network)
            after = scored(candidate)
            is_best = all(after.mean_dice > report.after.mean_dice for report in self.reports)
            if is_best:
                found = candidate
            self.note(epoch, after, is_best=is_best)
            if self.is_over:
                break
        return found

    def note(self, epoch: Epoch, after: Scores, *, is_best: bool) -> None:
        """Note the scores after an epoch."""
        report = EpochReport(
            epoch.number, self._options.epochs, epoch.loss, self._before, after, is_best, self._watch.seconds
        )
        self.reports.append(report)
        self._watch.on_epoch(report)

    @property
    def is_over(self) -> bool:
        """Whether `patience` epochs have passed since the best one."""
        best = max(report.epoch for report in self.reports if report.is_best)
        return self.reports[-1].epoch - best >= self._options.patience
