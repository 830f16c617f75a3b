"""Answers of the worker's threads, handed over in the window's thread."""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable

import qt

LOOK_MS = 20
"""How often the window looks whether something has come."""

logger = logging.getLogger(__name__)


class WindowThread:
    """`schedule(callable)` may be called in any thread; the callable is called in the one that made this object.

    A timer of Qt started in another thread would never fire, so one in the window's thread looks into a queue.
    """

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._timer = qt.QTimer()
        self._timer.interval = LOOK_MS
        self._timer.connect("timeout()", self.deliver)
        self._timer.start()

    def schedule(self, callback: Callable[[], None]) -> None:
        """Have a callable called in the window's thread, soon."""
        self._waiting.put(callback)

    def deliver(self) -> None:
        """Call what waits; one that fails is logged and does not keep the others back."""
        while True:
            try:
                callback = self._waiting.get_nowait()
            except queue.Empty:
                return
            try:
                callback()
            except Exception:
                logger.exception("An answer could not be shown")

    def close(self) -> None:
        """Deliver nothing any more."""
        self._timer.stop()
