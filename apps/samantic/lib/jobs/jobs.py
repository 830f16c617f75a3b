"""Jobs: started, watched, cancelled; a bounded number waits, a bounded number of results is kept for a while."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from samantic.app.lib.jobs.errors import JobNotDoneError, TooManyJobsError, UnknownJobError, failure
from samantic.app.lib.jobs.job import ENDED, Job, JobControl, JobState, State
from samantic.segsam.cancelling import Cancelled

KINDS = ("propagation", "automatic", "batch")

Work = Callable[[JobControl], dict[str, Any]]

PATIENCE_S = 0.8
"""How long removing a job waits for its work to stop; cancelling answers within a second."""

_MOST_STEPS = 1_000_000_000
_LONGEST_TEXT = 300

logger = logging.getLogger(__name__)


class Jobs:
    """One job of each kind runs at a time, so that one over all images does not keep a person's propagation waiting.

    most_waiting: jobs not yet begun, of all kinds; most_kept: jobs that have ended, forgotten after `keep_s` seconds,
    the oldest first also where their files take more than `most_bytes`. Threads live only while there is work. A job
    is known by an id that nobody can guess. Source: ours.
    """

    def __init__(
        self,
        most_waiting: int = 16,
        most_kept: int = 64,
        keep_s: float = 3600.0,
        most_bytes: int = 1 << 30,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most_waiting = most_waiting
        self._most_kept = most_kept
        self._keep_s = keep_s
        self._most_bytes = most_bytes
        self._clock = clock
        self._jobs: dict[str, Job] = {}
        self._at_work: set[str] = set()
        self._changed = threading.Condition()

    def start(
        self,
        kind: str,
        owner: str | None,
        work: Work,
        image: str | None = None,
        clean_up: Callable[[], None] = lambda: None,
    ) -> str:
        """Queue work and return the job's id. Raises TooManyJobsError.

        `work` returns the result as JSON; the value of its key `file`, if there is one, is the path of a temporary
        file, which is removed with the job. `clean_up` is called once, when the work ended or was never begun.
        """
        job = Job(secrets.token_hex(16), kind, owner, image, work, clean_up)
        with self._changed:
            self._forget_old()
            if sum(other.state == "queued" for other in self._jobs.values()) >= self._most_waiting:
                raise TooManyJobsError(
                    f"The server is busy: {self._most_waiting} jobs are waiting already; try again later."
                )
            self._jobs[job.id] = job
            if kind not in self._at_work:
                self._at_work.add(kind)
                threading.Thread(target=self._work, args=(kind,), name=f"samantic-job-{kind}", daemon=True).start()
        return job.id

    def get(self, job_id: str) -> JobState:
        """Return what a job is doing. Raises UnknownJobError."""
        with self._changed:
            return self._known(job_id).seen(self._clock())

    def of(self, owner: str | None) -> tuple[JobState, ...]:
        """Return the jobs of one owner, the newest last; nobody's jobs are nobody's to list."""
        with self._changed:
            self._forget_old()
            mine = [job for job in self._jobs.values() if owner is not None and job.owner == owner]
            return tuple(job.seen(self._clock()) for job in mine)

    def result_file(self, job_id: str) -> Path:
        """Return the mask file of a job that is done. Raises UnknownJobError and JobNotDoneError."""
        with self._changed:
            job = self._known(job_id)
            if job.state not in ENDED:
                raise JobNotDoneError(f"The job is {job.state}; its result is there once it is done.")
            if job.file is None:
                raise JobNotDoneError(job.detail or f"The job is {job.state} and has no file; see its JSON.")
            return job.file

    def remove(self, job_id: str) -> JobState:
        """Cancel a job and forget it; return its last state, within a second. Raises UnknownJobError.

        Work that does not stop by then goes on unseen until it next asks, and what it makes is thrown away.
        """
        with self._changed:
            job = self._known(job_id)
            job.cancelled.set()
            if job.state == "queued":
                self._end(job, "cancelled")
                job.clean_up()
            self._changed.wait_for(lambda: job.state in ENDED, PATIENCE_S)
            state: State = job.state if job.state in ENDED else "cancelled"
            job.removed = True
            job.drop_file()
            self._jobs.pop(job_id, None)
            last = job.seen(self._clock())
        return JobState(**{**last.as_json(), "state": state, "has_file": False})

    def _known(self, job_id: str) -> Job:
        self._forget_old()
        job = self._jobs.get(job_id)
        if job is None:
            raise UnknownJobError("There is no such job; it may have been removed, or its time is over.")
        return job

    def _work(self, kind: str) -> None:
        while (job := self._next(kind)) is not None:
            self._run(job)

    def _next(self, kind: str) -> Job | None:
        with self._changed:
            for job in self._jobs.values():
                if job.kind == kind and job.state == "queued":
                    job.state, job.began = "running", self._clock()
                    return job
            self._at_work.discard(kind)
            return None

    def _run(self, job: Job) -> None:
        def say(done: int, total: int, text: str) -> None:
            with self._changed:
                job.done, job.total = (min(max(0, int(count)), _MOST_STEPS) for count in (done, total))
                job.text = text[:_LONGEST_TEXT]

        try:
            answer = dict(job.work(JobControl(say, job.cancelled)))
            file = answer.pop("file", None)
            with self._changed:
                job.result, job.file = answer, None if file is None else Path(file)
                self._end(job, "cancelled" if job.cancelled.is_set() else "done")
        except Cancelled:
            with self._changed:
                self._end(job, "cancelled")
        except Exception as error:
            detail = failure(error, f"the {job.kind} job {job.id[:8]}")
            with self._changed:
                job.detail = detail
                self._end(job, "failed")
        finally:
            job.clean_up()

    def _end(self, job: Job, state: State) -> None:
        # Called under the lock.
        job.state, job.ended = state, self._clock()
        job.work = _nothing  # it may hold an image
        if job.removed or state != "done":
            job.result = None
            job.drop_file()
        logger.info("The %s job %s is %s", job.kind, job.id[:8], state)
        self._changed.notify_all()

    def _forget_old(self) -> None:
        ended = sorted((job for job in self._jobs.values() if job.ended is not None), key=lambda job: job.ended or 0)
        sizes = [_size(job.file) for job in ended]
        oldest = self._clock() - self._keep_s
        for number, job in enumerate(ended):
            too_many = len(ended) - number > self._most_kept or sum(sizes[number:]) > self._most_bytes
            if (job.ended or 0) < oldest or too_many:
                job.drop_file()
                del self._jobs[job.id]


def _nothing(_: JobControl) -> dict[str, Any]:
    return {}


def _size(file: Path | None) -> int:
    try:
        return 0 if file is None else file.stat().st_size
    except OSError:
        return 0
