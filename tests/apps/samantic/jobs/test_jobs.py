"""Jobs with small work functions of the tests' own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import HTTPException

from samantic.app.lib.click_traffic import CLICKS, ClickTraffic
from samantic.app.lib.infers.wire import RequestError
from samantic.app.lib.jobs import ENDED, JobControl, JobNotDoneError, Jobs, JobState, TooManyJobsError, UnknownJobError
from samantic.segsam.cancelling import Cancelled


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def ended(jobs: Jobs, job_id: str) -> JobState:
    wait_until(lambda: jobs.get(job_id).state in ENDED)
    return jobs.get(job_id)


def slice_by_slice(control: JobControl) -> dict[str, Any]:
    """Works for as long as nobody cancels it."""
    for number in range(100_000):
        if control.is_cancelled():
            raise Cancelled
        control.progress(number, 100_000, f"slice {number}")
        time.sleep(0.002)
    return {}


def test_a_job_shows_its_steps_and_then_its_result_and_file(tmp_path: Path) -> None:
    jobs, go_on = Jobs(), threading.Event()
    (tmp_path / "mask.nii.gz").write_bytes(b"mask")

    def work(control: JobControl) -> dict[str, Any]:
        control.progress(3, 8, "slice 12")
        assert go_on.wait(10)
        return {"voxels": 7, "file": tmp_path / "mask.nii.gz"}

    job = jobs.start("propagation", "client me", work, "ct")
    wait_until(lambda: jobs.get(job).done == 3)
    seen = jobs.get(job)
    assert (seen.state, seen.total, seen.text, seen.image, seen.result) == ("running", 8, "slice 12", "ct", None)
    with pytest.raises(JobNotDoneError, match="running"):
        jobs.result_file(job)
    go_on.set()
    seen = ended(jobs, job)
    assert (seen.state, seen.result, seen.has_file) == ("done", {"voxels": 7}, True)
    assert jobs.result_file(job).read_bytes() == b"mask"
    assert jobs.remove(job).state == "done"
    assert not (tmp_path / "mask.nii.gz").exists()
    with pytest.raises(UnknownJobError):
        jobs.get(job)


def test_work_that_asks_is_stopped_within_a_second() -> None:
    jobs = Jobs()
    job = jobs.start("automatic", None, slice_by_slice)
    wait_until(lambda: jobs.get(job).done > 2)
    start = time.perf_counter()
    assert jobs.remove(job).state == "cancelled"
    assert time.perf_counter() - start < 1


def test_work_that_does_not_listen_is_given_up_within_a_second_and_its_file_thrown_away(tmp_path: Path) -> None:
    jobs, go_on, cleaned = Jobs(), threading.Event(), threading.Event()
    mask = tmp_path / "mask.nii.gz"

    def work(_: JobControl) -> dict[str, Any]:
        assert go_on.wait(10)
        mask.write_bytes(b"mask")
        return {"file": str(mask)}

    job = jobs.start("automatic", None, work, clean_up=cleaned.set)
    wait_until(lambda: jobs.get(job).state == "running")
    start = time.perf_counter()
    assert jobs.remove(job).state == "cancelled"
    assert time.perf_counter() - start < 1
    go_on.set()
    assert cleaned.wait(10)
    assert not mask.exists()


def test_one_job_of_a_kind_runs_at_a_time_and_another_kind_beside_it() -> None:
    jobs = Jobs()
    first, second = jobs.start("batch", None, slice_by_slice), jobs.start("batch", None, slice_by_slice)
    quick = jobs.start("propagation", None, lambda _: {"quick": True})
    assert ended(jobs, quick).result == {"quick": True}
    assert (jobs.get(first).state, jobs.get(second).state) == ("running", "queued")
    jobs.remove(first)
    wait_until(lambda: jobs.get(second).state == "running")
    jobs.remove(second)


def test_a_cancelled_job_in_the_line_is_never_begun_and_leaves_nothing() -> None:
    jobs, begun, cleaned = Jobs(), [], []
    running = jobs.start("batch", None, slice_by_slice)
    wait_until(lambda: jobs.get(running).state == "running")
    waiting = jobs.start("batch", None, lambda _: begun.append(1) or {}, clean_up=lambda: cleaned.append(1))
    assert jobs.remove(waiting).state == "cancelled"
    assert cleaned == [1]
    jobs.remove(running)
    after = jobs.start("batch", None, lambda _: {})
    assert ended(jobs, after).state == "done"
    assert begun == []


def test_a_bounded_number_may_wait() -> None:
    jobs = Jobs(most_waiting=2)
    running = jobs.start("batch", None, slice_by_slice)
    wait_until(lambda: jobs.get(running).state == "running")
    waiting = [jobs.start("batch", None, slice_by_slice) for _ in range(2)]
    with pytest.raises(TooManyJobsError, match="2 jobs"):
        jobs.start("propagation", None, slice_by_slice)
    for job in (*waiting, running):
        jobs.remove(job)


def test_results_are_forgotten_by_age_number_and_size_with_their_files(tmp_path: Path) -> None:
    now = [0.0]
    jobs = Jobs(most_kept=3, keep_s=60, most_bytes=100, clock=lambda: now[0])

    def made(name: str, size: int) -> str:
        (tmp_path / name).write_bytes(bytes(size))
        job = jobs.start("automatic", "client me", lambda _: {"file": tmp_path / name})
        wait_until(lambda: jobs.get(job).state == "done")
        now[0] += 1
        return job

    kept = [made(f"{number}.nii", 10) for number in range(4)]
    assert [job.id for job in jobs.of("client me")] == kept[1:]
    large = made("large.nii", 85)
    assert [job.id for job in jobs.of("client me")] == [kept[3], large]
    now[0] += 59
    assert [job.id for job in jobs.of("client me")] == [large]
    now[0] += 60
    assert jobs.of("client me") == ()
    assert list(tmp_path.iterdir()) == []


def test_jobs_are_listed_to_their_owner_alone_and_nobodys_to_nobody() -> None:
    jobs = Jobs()
    mine = jobs.start("batch", "client me", lambda _: {})
    other = jobs.start("batch", "client other", lambda _: {})
    nobodys = jobs.start("batch", None, lambda _: {})
    assert [job.id for job in jobs.of("client me")] == [mine]
    assert [job.id for job in jobs.of("client other")] == [other]
    assert jobs.of(None) == ()
    assert len(nobodys) == 32
    assert ended(jobs, nobodys).state == "done"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RequestError("'axis' is 7, but it must be 0, 1 or 2."), "'axis' is 7, but it must be 0, 1 or 2."),
        (HTTPException(422, "there is no class 'livre'"), "There is no class 'livre'."),
    ],
)
def test_what_is_wrong_with_a_request_is_said_in_a_sentence(error: Exception, said: str) -> None:
    jobs = Jobs()

    def work(_: JobControl) -> dict[str, Any]:
        raise error

    seen = ended(jobs, jobs.start("automatic", None, work))
    assert (seen.state, seen.detail) == ("failed", said)


def test_an_error_of_the_servers_own_is_a_number_and_the_trace_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    jobs = Jobs()
    with caplog.at_level(logging.ERROR):
        job = jobs.start("automatic", None, lambda _: {}["secret"])
        seen = ended(jobs, job)
    assert seen.detail is not None and "secret" not in seen.detail
    number = seen.detail.rstrip(".").split()[-1]
    assert any(number in record.getMessage() and record.exc_info for record in caplog.records)
    with pytest.raises(JobNotDoneError, match=number):
        jobs.result_file(job)


def test_a_job_pauses_while_somebody_waits_for_an_answer() -> None:
    jobs = Jobs()
    job = jobs.start("batch", None, slice_by_slice)
    wait_until(lambda: jobs.get(job).done > 2)
    with CLICKS.answering():
        time.sleep(0.1)
        before = jobs.get(job).done
        time.sleep(0.4)
        assert jobs.get(job).done <= before + 1
    wait_until(lambda: jobs.get(job).done > before + 5)
    jobs.remove(job)


def test_a_job_gets_on_in_the_end_and_a_cancelled_one_does_not_wait() -> None:
    traffic = ClickTraffic()
    with traffic.answering():
        for cancelled, least, most in ((False, 0.2, 5.0), (True, 0.0, 0.15)):
            start = time.perf_counter()
            traffic.give_way(lambda cancelled=cancelled: cancelled, longest_s=0.2)
            assert least <= time.perf_counter() - start < most
