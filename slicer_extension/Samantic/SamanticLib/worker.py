"""Work that would freeze a window, in threads of its own; what comes of it is delivered in the window's thread."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from SamanticLib.cancellation import Cancellation, current_cancellation, working_under
from SamanticLib.errors import SamanticError

LANES = ("click", "job", "train", "draft")

NEWEST_WINS = ("click",)
"""Lanes in which new work replaces all that is waiting or under way."""

MOST_WAITING = 16

T = TypeVar("T")

logger = logging.getLogger(__name__)


class Worker:
    """Runs one callable at a time in each lane of `LANES`, and delivers what it returns or raises.

    `schedule(callable)` hands a callable to the caller's thread, such as `lambda f: qt.QTimer.singleShot(0, f)`; with
    nothing else are `on_answer`, `on_error` and relayed callbacks called. In the lane "click" the newest work wins:
    what waits is dropped, what is under way is cancelled and whatever still comes of it discarded; the other lanes work
    in order. Requests of `SamanticClient` made by cancelled work end at once. Source: ours.
    """

    def __init__(self, schedule: Callable[[Callable[[], None]], None]) -> None:
        self._schedule = schedule
        self._lanes = {name: _Lane(name, schedule) for name in LANES}

    def submit(
        self,
        lane: str,
        work: Callable[[], T],
        on_answer: Callable[[T], None] = lambda _: None,
        on_error: Callable[[Exception], None] = lambda _: None,
    ) -> None:
        """Run `work()` in a lane; then call `on_answer(answer)` or `on_error(error)`, unless it was cancelled.

        While they are called the lane is no longer busy with this work. Raises ValueError for an unknown lane and
        SamanticError where 16 wait already or the worker was closed.
        """
        self._lane(lane).add(_Task(work, on_answer, on_error), alone=lane in NEWEST_WINS)

    def relay(self, callback: Callable[..., None]) -> Callable[..., None]:
        """Return what work may call from its thread (to show progress, say): `callback` is called in the caller's.

        What cancelled work says is not delivered.
        """

        def deliver(*values: Any) -> None:
            cancellation = current_cancellation()
            self._schedule(lambda: None if cancellation.is_cancelled() else callback(*values))

        return deliver

    def cancel(self, lane: str) -> None:
        """Drop what waits and what is under way in a lane; nothing of it is delivered from now on."""
        self._lane(lane).cancel()

    def busy(self, lane: str) -> bool:
        """Whether something in a lane waits, is under way, or is not delivered yet."""
        return self._lane(lane).is_busy()

    def close(self, timeout_s: float = 2.0) -> None:
        """Cancel everything and end the threads, waiting at most so long for each; nothing is delivered afterwards."""
        for lane in self._lanes.values():
            lane.close()
        for lane in self._lanes.values():
            lane.join(timeout_s)

    def _lane(self, name: str) -> _Lane:
        if name not in self._lanes:
            raise ValueError(f"There is no lane '{name}'; use {', '.join(LANES)}.")
        return self._lanes[name]


@dataclass(eq=False)
class _Task:
    """One piece of work and what is to be done with what comes of it."""

    work: Callable[[], Any]
    on_answer: Callable[[Any], None]
    on_error: Callable[[Exception], None]
    cancellation: Cancellation = field(default_factory=Cancellation)

    def outcome(self) -> Callable[[], None]:
        """Do the work; return what is to be called with its answer or its error."""
        try:
            with working_under(self.cancellation):
                answer = self.work()
        except Exception as error:  # whatever it is, a person waits for an end of it
            if not isinstance(error, SamanticError) and not self.cancellation.is_cancelled():
                logger.exception("Work in the background failed")
            return lambda error=error: self.on_error(error)  # type: ignore[misc]
        return lambda: self.on_answer(answer)


class _Lane:
    """One thread, begun when it is first needed, and what waits for it; `_open` holds tasks that are not delivered."""

    def __init__(self, name: str, schedule: Callable[[Callable[[], None]], None]) -> None:
        self._name = name
        self._schedule = schedule
        self._waiting: deque[_Task] = deque()
        self._open: list[_Task] = []
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def add(self, task: _Task, alone: bool) -> None:
        with self._changed:
            if self._closed:
                raise SamanticError("This window's work was ended; open it again.")
            if not alone and len(self._waiting) >= MOST_WAITING:
                raise SamanticError(f"{MOST_WAITING} requests wait already; wait until one of them is done.")
        if alone:
            self.cancel()
        with self._changed:
            self._waiting.append(task)
            self._open.append(task)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"samantic-{self._name}", daemon=True)
                self._thread.start()
            self._changed.notify()

    def cancel(self) -> None:
        with self._changed:
            self._waiting.clear()
            dropped, self._open = self._open, []
        for task in dropped:
            task.cancellation.cancel()

    def is_busy(self) -> bool:
        with self._changed:
            return bool(self._open)

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()
        self.cancel()

    def join(self, timeout_s: float) -> None:
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if self._closed:
                    return
                task = self._waiting.popleft()
            deliver = task.outcome()
            try:
                self._schedule(lambda task=task, deliver=deliver: self._deliver(task, deliver))  # type: ignore[misc]
            except Exception:  # the window is gone; the thread stays for who comes next
                logger.exception("What came of work in the background could not be delivered")
                self._forget(task)

    def _deliver(self, task: _Task, deliver: Callable[[], None]) -> None:
        if self._forget(task):
            deliver()

    def _forget(self, task: _Task) -> bool:
        """Whether the task was still wanted; it is not busy any more."""
        with self._changed:
            if task not in self._open:
                return False
            self._open.remove(task)
            return True
