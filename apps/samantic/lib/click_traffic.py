"""Whether somebody waits for an answer now; background work asks before every slice and gives way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LONGEST_PAUSE_S = 1.0
"""However busy the server is, background work gets on by a slice this often."""

_LOOK_UP_S = 0.05


class ClickTraffic:
    """Counts the clicks that are being answered or wait for their turn. Source: ours."""

    def __init__(self) -> None:
        self._at_work = 0
        self._changed = threading.Condition()

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Somebody waits for the block."""
        with self._changed:
            self._at_work += 1
        try:
            yield
        finally:
            with self._changed:
                self._at_work -= 1
                self._changed.notify_all()

    def give_way(self, is_cancelled: Callable[[], bool], longest_s: float = LONGEST_PAUSE_S) -> None:
        """Wait until nobody waits for an answer, but at most `longest_s` seconds and not once cancelled."""
        with self._changed:
            for _ in range(round(longest_s / _LOOK_UP_S)):
                if not self._at_work or is_cancelled():
                    return
                self._changed.wait(_LOOK_UP_S)


CLICKS = ClickTraffic()
"""One for the process: it is the cores that are shared, whoever works on them."""
