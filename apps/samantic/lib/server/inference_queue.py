"""Who may infer now: a bounded number at once, a bounded number waiting, clicks before background work."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from samantic.app.lib.click_traffic import CLICKS


class BusyError(RuntimeError):
    """As many inferences as this server takes are at work and waiting."""


class InferenceQueue:
    """Turns for inference, given in the order of arrival, but to a waiting click before any background work.

    running: how many have a turn at once; waiting: how many may wait, half of them background work. Source: ours.
    """

    def __init__(self, running: int, waiting: int) -> None:
        self._free = running
        self._room = waiting
        self._arrivals = itertools.count()
        self._line: list[tuple[bool, int]] = []
        self._changed = threading.Condition()

    @contextmanager
    def turn(self, background: bool = False) -> Iterator[None]:
        """Wait for a turn and hold it for the block. Raises BusyError at once if too many are waiting already."""
        with nullcontext() if background else CLICKS.answering():
            self._wait((background, next(self._arrivals)))
            try:
                yield
            finally:
                with self._changed:
                    self._free += 1
                    self._changed.notify_all()

    @property
    def waiting(self) -> int:
        """How many are waiting now."""
        with self._changed:
            return len(self._line)

    def _wait(self, place: tuple[bool, int]) -> None:
        with self._changed:
            if self._free and not self._line:
                self._free -= 1
                return
            background, _ = place
            in_background = sum(behind for behind, _ in self._line)
            if len(self._line) >= self._room or (background and in_background >= self._room // 2):
                raise BusyError("The server is busy: as many requests as it takes are waiting already; try again soon.")
            heapq.heappush(self._line, place)
            self._changed.wait_for(lambda: self._free > 0 and self._line[0] == place)
            heapq.heappop(self._line)
            self._free -= 1
            self._changed.notify_all()
