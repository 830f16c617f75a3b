"""How far a run is, in words; on a terminal, a bar."""

from __future__ import annotations

import sys
import time
from collections import deque
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

LINE_EVERY = 20
"""Steps between two lines where the output is no terminal; the loss is the average of as many."""


class ProgressReport:
    """Reports a run from `first` to `total` steps; silent where `speaks` is false (all processes but the first)."""

    def __init__(self, first: int, total: int, speaks: bool = True) -> None:
        self._first, self._total, self._speaks = first, total, speaks
        self._started = time.monotonic()
        self._losses: deque[float] = deque(maxlen=LINE_EVERY)
        self._bar: Progress | None = None

    def __enter__(self) -> ProgressReport:
        if self._speaks and sys.stdout.isatty():
            columns = (TextColumn("training"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
            self._bar = Progress(*columns, console=Console())
            self._bar.add_task("", total=self._total, completed=self._first)
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def done(self, step: int, loss: float | None) -> None:
        """`step` steps are done; `loss` of the last one, None where there was none."""
        if not self._speaks:
            return
        if loss is not None:
            self._losses.append(loss)
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=step, description=self._figures(step))
        elif step % LINE_EVERY == 0 or step == self._total:
            print(f"step {step} of {self._total}: {self._figures(step)}", flush=True)

    def say(self, sentence: str) -> None:
        """Print a sentence beside the progress."""
        if self._bar is not None:
            self._bar.console.print(sentence, markup=False)
        elif self._speaks:
            print(sentence, flush=True)

    def _figures(self, step: int) -> str:
        rate = (time.monotonic() - self._started) / max(1, step - self._first)
        loss = f"loss {sum(self._losses) / len(self._losses):.3f}" if self._losses else "no loss yet"
        return f"{loss}, {rate:.2f} s a step, {duration(rate * (self._total - step))} left"


def duration(seconds: float) -> str:
    """A time span as a person says it: 40 s, 12 min, 3 h 20 min."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
