"""One job: what it is doing, what its client sees of it, and what its work sees of the client."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from samantic.app.lib.click_traffic import CLICKS

State = Literal["queued", "running", "done", "failed", "cancelled"]

ENDED: tuple[State, ...] = ("done", "failed", "cancelled")


@dataclass(frozen=True)
class JobState:
    """A job as its client sees it.

    `done` of `total` steps, both 0 while that is not known; `text` what it is at; `seconds` of work so far; `result`
    once it is done; `detail` one sentence once it failed; `has_file` whether a mask can be fetched.
    """

    id: str
    kind: str
    image: str | None
    state: State
    done: int
    total: int
    text: str
    seconds: float
    result: dict[str, Any] | None
    detail: str | None
    has_file: bool

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON."""
        return asdict(self)


class JobControl:
    """What a job's work says and asks while it runs: call both once a slice."""

    def __init__(self, say: Callable[[int, int, str], None], cancelled: threading.Event) -> None:
        self._say = say
        self._cancelled = cancelled

    def progress(self, done: int, total: int, text: str = "") -> None:
        """Say that `done` of `total` steps are done, and what is next."""
        self._say(done, total, text)

    def silent(self) -> JobControl:
        """Return a control for a part of the work, whose steps are none of the whole's."""
        return JobControl(lambda *_: None, self._cancelled)

    def is_cancelled(self) -> bool:
        """Whether to stop; lets waiting clicks go first, for a second at most."""
        if not self._cancelled.is_set():
            CLICKS.give_way(self._cancelled.is_set)
        return self._cancelled.is_set()


@dataclass(eq=False)
class Job:
    """What `Jobs` keeps of a job; only it changes one, under its lock."""

    id: str
    kind: str
    owner: str | None
    image: str | None
    work: Callable[[JobControl], dict[str, Any]]
    clean_up: Callable[[], None]
    state: State = "queued"
    done: int = 0
    total: int = 0
    text: str = ""
    began: float | None = None
    ended: float | None = None
    result: dict[str, Any] | None = None
    detail: str | None = None
    file: Path | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)
    removed: bool = False

    def seen(self, now: float) -> JobState:
        """Return the state at a time of the clock that `began` and `ended` are of."""
        seconds = 0.0 if self.began is None else (now if self.ended is None else self.ended) - self.began
        return JobState(
            self.id,
            self.kind,
            self.image,
            self.state,
            self.done,
            self.total,
            self.text,
            round(seconds, 2),
            self.result,
            self.detail,
            self.file is not None,
        )

    def drop_file(self) -> None:
        """Remove the mask file."""
        if self.file is not None:
            self.file.unlink(missing_ok=True)
            self.file = None
