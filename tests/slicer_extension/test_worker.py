"""Work in lanes: one at a time, the newest click wins, and everything is delivered in the caller's thread."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from SamanticLib.cancellation import current_cancellation
from SamanticLib.errors import Cancelled, SamanticError, ServerAway
from SamanticLib.worker import MOST_WAITING, Worker

WAIT_S = 10


class Window:
    """A window's thread: what is scheduled waits until the test lets it be called."""

    def __init__(self) -> None:
        self.scheduled: queue.Queue[Callable[[], None]] = queue.Queue()
        self.said: list[Any] = []

    def turn(self) -> None:
        """Call the next thing that was scheduled."""
        self.scheduled.get(timeout=WAIT_S)()

    def say(self, what: Any) -> None:
        self.said.append((what, threading.current_thread()))

    @property
    def heard(self) -> list[Any]:
        assert all(thread is threading.current_thread() for _, thread in self.said)
        return [what for what, _ in self.said]


class Gate:
    """Work that has begun and waits until it is let go, or cancelled."""

    def __init__(self, answer: Any) -> None:
        self.began, self.go = threading.Event(), threading.Event()
        self._answer = answer

    def __call__(self) -> Any:
        self.began.set()
        with current_cancellation().calling(self.go.set):
            assert self.go.wait(WAIT_S)
        return self._answer


@pytest.fixture
def a_window() -> Window:
    return Window()


@pytest.fixture
def a_worker(a_window: Window) -> Iterator[Worker]:
    worker = Worker(a_window.scheduled.put)
    yield worker
    worker.close()


def test_an_answer_is_delivered_in_the_callers_thread_and_only_when_it_is_its_turn(
    a_worker: Worker, a_window: Window
) -> None:
    workers: list[threading.Thread] = []
    a_worker.submit("click", lambda: workers.append(threading.current_thread()) or "mask", a_window.say)
    deliver = a_window.scheduled.get(timeout=WAIT_S)
    assert a_window.said == []
    assert a_worker.busy("click")
    deliver()
    assert a_window.heard == ["mask"]
    assert not a_worker.busy("click")
    assert workers[0] is not threading.current_thread() and workers[0].daemon


def test_while_an_answer_is_delivered_its_lane_is_free_for_the_next(a_worker: Worker, a_window: Window) -> None:
    busy: list[bool] = []
    a_worker.submit("job", lambda: 1, lambda _: busy.append(a_worker.busy("job")))
    a_window.turn()
    assert busy == [False]


@pytest.mark.parametrize("error", [ServerAway("away"), ZeroDivisionError("a mistake of ours")])
def test_an_error_is_delivered_as_such(a_worker: Worker, a_window: Window, error: Exception) -> None:
    def fail() -> None:
        raise error

    a_worker.submit("train", fail, on_error=a_window.say)
    a_window.turn()
    assert a_window.heard == [error]


def test_the_newest_click_wins_over_the_one_under_way_and_those_that_wait(a_worker: Worker, a_window: Window) -> None:
    first, ran = Gate("first"), []
    a_worker.submit("click", first, a_window.say, a_window.say)
    assert first.began.wait(WAIT_S)
    a_worker.submit("click", lambda: ran.append("second"), a_window.say, a_window.say)
    a_worker.submit("click", lambda: "third", a_window.say, a_window.say)
    while a_worker.busy("click"):
        a_window.turn()
    assert a_window.heard == ["third"]
    assert ran in ([], ["second"])  # it may have begun, but nothing of it was delivered


def test_an_answer_that_was_under_way_to_the_window_is_discarded_when_a_newer_click_comes(
    a_worker: Worker, a_window: Window
) -> None:
    a_worker.submit("click", lambda: "late", a_window.say)
    late = a_window.scheduled.get(timeout=WAIT_S)
    a_worker.submit("click", lambda: "new", a_window.say)
    late()
    assert a_window.said == []
    a_window.turn()
    assert a_window.heard == ["new"]


def test_cancelled_work_is_told_so_and_nothing_of_it_is_delivered(a_worker: Worker, a_window: Window) -> None:
    told = threading.Event()

    def work() -> None:
        assert current_cancellation().wait(WAIT_S)
        told.set()
        raise Cancelled("This was cancelled.")

    a_worker.submit("job", work, a_window.say, a_window.say)
    a_worker.cancel("job")
    assert not a_worker.busy("job")
    a_worker.submit("job", lambda: "next", a_window.say)
    while a_worker.busy("job"):
        a_window.turn()
    assert told.is_set() or a_window.heard == ["next"]
    assert a_window.heard == ["next"]


def test_jobs_are_done_in_order_one_at_a_time(a_worker: Worker, a_window: Window) -> None:
    at_once, most = [0], [0]
    lock = threading.Lock()

    def work(number: int) -> int:
        with lock:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
        with lock:
            at_once[0] -= 1
        return number

    for number in range(8):
        a_worker.submit("job", lambda number=number: work(number), a_window.say)
    for _ in range(8):
        a_window.turn()
    assert a_window.heard == list(range(8))
    assert most == [1]


def test_lanes_do_not_wait_for_each_other(a_worker: Worker, a_window: Window) -> None:
    job = Gate("job")
    a_worker.submit("job", job, a_window.say)
    assert job.began.wait(WAIT_S)
    a_worker.submit("click", lambda: "click", a_window.say)
    a_window.turn()
    assert a_window.heard == ["click"]
    assert a_worker.busy("job") and not a_worker.busy("click")
    job.go.set()
    a_window.turn()
    assert a_window.heard == ["click", "job"]


def test_what_waits_is_bounded(a_worker: Worker) -> None:
    gate = Gate(None)
    a_worker.submit("job", gate)
    assert gate.began.wait(WAIT_S)
    for _ in range(MOST_WAITING):
        a_worker.submit("job", lambda: None)
    with pytest.raises(SamanticError, match="16 requests wait already"):
        a_worker.submit("job", lambda: None)


def test_progress_is_relayed_to_the_callers_thread_until_the_work_is_cancelled(
    a_worker: Worker, a_window: Window
) -> None:
    gate, progress = Gate("done"), a_worker.relay(a_window.say)

    def work() -> Any:
        progress("half")
        return gate()

    a_worker.submit("job", work, a_window.say)
    a_window.turn()
    assert a_window.heard == ["half"]
    assert gate.began.wait(WAIT_S)
    a_worker.cancel("job")
    again = Gate("done")
    a_worker.submit("job", lambda: (progress("too late"), again())[1], a_window.say)
    assert again.began.wait(WAIT_S)
    a_worker.cancel("job")
    while not a_window.scheduled.empty():
        a_window.turn()
    assert a_window.heard == ["half"]


def test_an_unknown_lane_is_refused_with_those_there_are(a_worker: Worker) -> None:
    with pytest.raises(ValueError, match="click, job, train"):
        a_worker.submit("lunch", lambda: None)


def test_closing_ends_the_threads_and_delivers_nothing_more(a_window: Window) -> None:
    worker, gate = Worker(a_window.scheduled.put), Gate("late")
    before = set(threading.enumerate())
    worker.submit("click", gate, a_window.say)
    assert gate.began.wait(WAIT_S)
    worker.close()
    assert set(threading.enumerate()) <= before
    while not a_window.scheduled.empty():
        a_window.turn()
    assert a_window.said == []
    with pytest.raises(SamanticError, match="ended"):
        worker.submit("click", lambda: None)


def test_a_window_that_is_gone_does_not_stop_the_lane(caplog: pytest.LogCaptureFixture) -> None:
    tried = threading.Semaphore(0)

    def gone(_: Callable[[], None]) -> None:
        tried.release()
        raise RuntimeError("the window is gone")

    worker = Worker(gone)
    worker.submit("train", lambda: 1)
    worker.submit("train", lambda: 2)
    assert tried.acquire(timeout=WAIT_S) and tried.acquire(timeout=WAIT_S)
    worker.close()
    assert "could not be delivered" in caplog.text
