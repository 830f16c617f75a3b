"""Jobs at the server: started, followed, cancelled, and their masks."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from SamanticLib.cancellation import Cancellation, working_under
from SamanticLib.client import SamanticClient
from SamanticLib.errors import (
    BadAnswer,
    Cancelled,
    SamanticError,
)
from SamanticLib.label_files import write_label
from tests.slicer_extension.servers import Asked, Server, answers, answers_json, nrrd, running

JOB = {"id": "0f3c", "kind": "propagation", "image": "ct", "state": "running", "done": 7, "total": 23, "seconds": 1.8}


@pytest.fixture
def a_server() -> Iterator[Server]:
    with running(answers_json({})) as server:
        yield server


@pytest.fixture
def a_client(a_server: Server) -> SamanticClient:
    return SamanticClient(a_server.url, client_id="reader-1", read_timeout_s=10)


@pytest.fixture
def a_label(tmp_path: Path) -> Path:
    labels = np.zeros((6, 5, 4), np.uint8)
    labels[1:3, 2:4, 1] = 2
    return write_label(tmp_path / "ct.nrrd", labels, np.diag([1.0, 1.0, 3.0, 1.0]))


def in_turn(*behaviours: Any) -> Any:
    """Behaves otherwise at each request, and from then on as at the last."""
    left = list(behaviours)

    def behave(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(handler, asked)

    return behave


def test_a_job_is_started_with_its_label_and_asks_for_a_crop(
    a_server: Server, a_client: SamanticClient, a_label: Path
) -> None:
    a_server.behaviour = answers_json(JOB)
    state = a_client.start_job("propagation", "ct", {"propagate": "up"}, a_label)
    assert (state.id, state.done, state.total, state.ended) == ("0f3c", 7, 23, False)
    assert a_server.last.query["kind"] == "propagation" and a_server.last.query["image"] == "ct"
    assert a_server.last.params["result"] == "crop"
    assert a_label.read_bytes() in a_server.last.body
    a_server.behaviour = answers_json({**JOB, "image": "another"})
    with pytest.raises(BadAnswer, match="one for 'another' was started"):
        a_client.start_job("propagation", "ct", {})


def test_a_job_is_followed_to_its_end_and_each_change_is_said(a_server: Server, a_client: SamanticClient) -> None:
    steps = [{**JOB, "done": 1}, {**JOB, "done": 1}, {**JOB, "done": 23}, {**JOB, "state": "done", "done": 23}]
    a_server.behaviour = in_turn(*map(answers_json, steps))
    said: list[Any] = []
    assert a_client.follow_job("0f3c", said.append).state == "done"
    assert [(state.state, state.done) for state in said] == [("running", 1), ("running", 23), ("done", 23)]


def test_a_job_that_fails_says_why(a_server: Server, a_client: SamanticClient) -> None:
    a_server.behaviour = answers_json({**JOB, "state": "failed", "detail": "The point is outside the image."})
    with pytest.raises(SamanticError, match="outside the image"):
        a_client.follow_job("0f3c")
    with pytest.raises(SamanticError, match="no mask to fetch: The point is outside the image"):
        a_client.job_answer("0f3c")


def test_a_job_that_is_cancelled_here_is_cancelled_at_the_server(a_server: Server, a_client: SamanticClient) -> None:
    cancellation = Cancellation()
    a_server.behaviour = answers_json(JOB)
    with working_under(cancellation), pytest.raises(Cancelled):
        a_client.follow_job("0f3c", lambda _: cancellation.cancel())
    # A question that was given up may arrive after it.
    assert ("DELETE", "/samantic/jobs/0f3c") in [(one.method, one.path) for one in a_server.asked]


def test_the_mask_of_a_job_is_checked_against_what_the_job_says(a_server: Server, a_client: SamanticClient) -> None:
    extent = [3, 5, 1, 3, 0, 2]
    result = {
        "label_names": {"liver": 1},
        "extent": extent,
        "written_extent": extent,
        "propagation": {"slices": [0, 1]},
    }
    done = answers_json({**JOB, "state": "done", "has_file": True, "result": result})
    a_server.behaviour = in_turn(done, answers(nrrd(np.ones((2, 2, 2), np.uint8)), "application/octet-stream"))
    answer = a_client.job_answer("0f3c")
    assert answer.mask.shape == (2, 2, 2) and answer.extent_ijk == tuple(extent) and answer.image_id == "ct"
    assert answer.propagation == {"slices": [0, 1]}
    a_server.behaviour = in_turn(done, answers(nrrd(np.ones((3, 2, 2), np.uint8)), "application/octet-stream"))
    with pytest.raises(BadAnswer, match="2 x 2 x 2 voxels was to come"):
        a_client.job_answer("0f3c")


@pytest.mark.parametrize("wrong", [{"state": "dreaming"}, {"id": "another"}, {"done": "half"}, {"kind": None}])
def test_a_job_state_that_is_none_is_refused(a_server: Server, a_client: SamanticClient, wrong: Any) -> None:
    a_server.behaviour = answers_json({**JOB, **wrong})
    with pytest.raises(BadAnswer):
        a_client.job("0f3c")


def test_a_job_that_is_cancelled_while_it_is_started_is_not_left_at_the_server(
    a_server: Server, a_client: SamanticClient
) -> None:
    cancellation = Cancellation()

    def starts(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        cancellation.cancel()
        answers_json(JOB)(handler, asked)

    a_server.behaviour = in_turn(starts, answers_json({**JOB, "state": "cancelled"}))
    with working_under(cancellation), pytest.raises(Cancelled):
        a_client.start_job("propagation", "ct", {})
    assert (a_server.last.method, a_server.last.path) == ("DELETE", "/samantic/jobs/0f3c")
