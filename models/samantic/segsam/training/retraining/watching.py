"""Who watches a round: told how far it is, asked whether to go on."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from samantic.segsam.cancelling import Cancelled
from samantic.segsam.training.retraining.outcome import EpochReport


def nobody_cancels() -> bool:
    """Where a round is not to be cancelled."""
    return False


def nobody_listens(*_: object) -> None:
    """Where nobody is told how far a round is."""


@dataclass(frozen=True)
class Watch:
    """`on_progress` is called with how much is done, of how much, and what is being done."""

    on_epoch: Callable[[EpochReport], None]
    on_progress: Callable[[int, int, str], None]
    is_cancelled: Callable[[], bool]
    began: float = field(default_factory=time.monotonic)

    def go_on(self, done: int, total: int, text: str) -> None:
        """Before every piece of work; Cancelled if nobody wants it any more."""
        self.check()
        self.on_progress(done, total, text)

    def before_step(self, step: int, steps: int) -> None:
        """Before every training step; Cancelled if nobody wants it any more."""
        self.go_on(step, steps, "training")

    def check(self) -> None:
        """Cancelled if nobody wants the round any more."""
        if self.is_cancelled():
            raise Cancelled("The training round was cancelled.")

    @property
    def seconds(self) -> float:
        """Since the round began."""
        return time.monotonic() - self.began
