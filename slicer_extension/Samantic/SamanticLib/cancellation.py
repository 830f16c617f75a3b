"""Giving up work in another thread: who waits for a server hears of it at once.

As in trio's cancel scopes, work runs under a cancellation without being handed one, so a callable stays a callable.
Source: ours, after trio.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Cancellation:
    """Something that happens at most once, from any thread, and wakes who waits for something else meanwhile."""

    def __init__(self) -> None:
        self._happened = threading.Event()
        self._callbacks: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    def cancel(self) -> None:
        """Let it happen; whatever was registered by `calling` is called in this thread."""
        with self._lock:
            self._happened.set()
            callbacks = list(self._callbacks)
        for callback in callbacks:
            callback()

    def is_cancelled(self) -> bool:
        """Whether it has happened."""
        return self._happened.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait at most so long for it; True once it has happened."""
        return self._happened.wait(seconds)

    @contextmanager
    def calling(self, callback: Callable[[], None]) -> Iterator[None]:
        """Call `callback` when it happens during the block, at once if it has happened already."""
        with self._lock:
            self._callbacks.append(callback)
            happened = self._happened.is_set()
        try:
            if happened:
                callback()
            yield
        finally:
            with self._lock:
                self._callbacks.remove(callback)


_OF_THREAD = threading.local()


def current_cancellation() -> Cancellation:
    """Return the cancellation under which this thread works; one that never happens where there is none."""
    found = getattr(_OF_THREAD, "cancellation", None)
    return found if found is not None else Cancellation()


@contextmanager
def working_under(cancellation: Cancellation) -> Iterator[None]:
    """Let this thread's requests end with `Cancelled` when `cancellation` happens during the block."""
    outer = getattr(_OF_THREAD, "cancellation", None)
    _OF_THREAD.cancellation = cancellation
    try:
        yield
    finally:
        _OF_THREAD.cancellation = outer


@contextmanager
def shielded() -> Iterator[None]:
    """Let what must be said although the work was cancelled, such as 'cancel the job', be said during the block."""
    with working_under(Cancellation()):
        yield
