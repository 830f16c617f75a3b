"""Background work that gives way to whoever waits for an answer."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence

_log = logging.getLogger(__name__)


class Prefetcher:
    """Runs jobs one at a time on a background thread, and starts none while somebody waits.

    The thread lives only while there are jobs, so nothing has to be closed for a process to end.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._jobs: deque[Callable[[], object]] = deque()
        self._waiting = 0
        self._running = False
        self._closed = False
        self._thread: threading.Thread | None = None

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """No job is started inside; a job already running is not interrupted."""
        with self._changed:
            self._waiting += 1
        try:
            yield
        finally:
            with self._changed:
                self._waiting -= 1
                self._changed.notify_all()

    def replace(self, jobs: Sequence[Callable[[], object]]) -> None:
        """Forgets the jobs not yet started and queues these."""
        with self._changed:
            self._jobs.clear()
            if self._closed:
                return
            self._jobs.extend(jobs)
            if self._jobs and self._thread is None:
                self._thread = threading.Thread(target=self._work, name="samantic-prefetch", daemon=True)
                self._thread.start()

    def idle(self, timeout_s: float | None = None) -> bool:
        """Waits until no job is queued or running; false where that took longer than `timeout_s`."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._jobs and not self._running, timeout_s)

    def close(self, timeout_s: float = 30.0) -> None:
        """Forgets all jobs, waits for the one in progress and takes no more."""
        with self._changed:
            self._closed = True
            self._jobs.clear()
            self._changed.notify_all()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout_s)

    def _work(self) -> None:
        while (job := self._next()) is not None:
            try:
                job()
            except Exception:
                _log.warning("Preparing a neighbouring slice failed; it will be computed when it is asked for.")
                _log.debug("The failure:", exc_info=True)
            finally:
                # Without this the job, and with it an image, would live on until the next one.
                del job

    def _next(self) -> Callable[[], object] | None:
        with self._changed:
            self._running = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._jobs or not self._waiting)
            if not self._jobs:
                self._thread = None
                return None
            self._running = True
            return self._jobs.popleft()
