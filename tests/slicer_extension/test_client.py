"""What the client asks for and what it makes of the answers: the server, images, jobs, labels, trainings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from SamanticLib.answers import ImageEntry
from SamanticLib.client import SamanticClient
from SamanticLib.errors import (
    BadAnswer,
    LoginNeeded,
    RequestRefused,
    SamanticError,
    ServerAway,
    ServerFailed,
)
from SamanticLib.label_files import write_label
from tests.slicer_extension.servers import Server, answers, answers_json, cuts, hangs_up, running

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


def test_the_server_says_its_models_what_they_know_and_which_can_be_trained(
    a_server: Server, a_client: SamanticClient
) -> None:
    models = {
        "segsam": {"type": "deepgrow", "dimension": 2, "labels": ["liver", "spleen"], "description": "Click"},
        "stock": {"type": "segmentation", "dimension": 3, "labels": {"spleen": 1}},
    }
    info = {"name": "Samantic", "version": "1.2", "models": models, "trainers": {"segsam": {}}, "strategies": {"a": {}}}
    a_server.behaviour = answers_json(info)
    said = a_client.info()
    assert (said.name, said.version, said.strategies) == ("Samantic", "1.2", ("a",))
    assert said.models["segsam"].labels == ("liver", "spleen")
    assert said.models["segsam"].trainable and said.models["segsam"].interactive
    assert said.models["stock"].labels == ("spleen",)
    assert not said.models["stock"].trainable and not said.models["stock"].interactive


def test_a_class_has_its_codes_and_its_colour(a_server: Server, a_client: SamanticClient) -> None:
    kidney = {
        "name": "kidney_left",
        "label": "left kidney",
        "domains": ["ct", "mr"],
        "synonyms": ["ren sinister"],
        "category": {"scheme": "SCT", "value": "123037004", "meaning": "Anatomical Structure"},
        "type": {"scheme": "SCT", "value": "64033007", "meaning": "Kidney"},
        "modifier": {"scheme": "SCT", "value": "7771000", "meaning": "Left"},
        "colour_rgb": [46, 138, 184],
    }
    a_server.behaviour = answers_json({"domains": ["ct"], "classes": [kidney]})
    (found,) = a_client.vocabulary("segsam")
    assert a_server.last.query["model"] == "segsam"
    assert (found.name, found.label, found.domain, found.rgb) == (
        "kidney_left",
        "left kidney",
        "ct, mr",
        (46, 138, 184),
    )
    assert found.code.type.value == "64033007"
    assert found.code.modifier is not None and found.code.modifier.meaning == "Left"
    assert found.code.region is None
    for wrong in ({"colour_rgb": [1, 2]}, {"colour_rgb": [1, 2, 300]}, {"type": None}, {"label": 3}):
        a_server.behaviour = answers_json({"classes": [{**kidney, **wrong}]})
        with pytest.raises(BadAnswer):
            a_client.vocabulary()


def test_images_are_listed_by_name_with_their_labels(a_server: Server, a_client: SamanticClient) -> None:
    a_server.behaviour = answers_json({"objects": {"b": {"labels": {"final": {}}}, "a": {"labels": {}}}})
    assert a_client.images() == (ImageEntry("a"), ImageEntry("b", ("final",)))
    assert [image.labelled for image in a_client.images()] == [False, True]


def test_an_image_is_sent_from_the_disk_to_its_last_byte(
    a_server: Server, a_client: SamanticClient, tmp_path: Path
) -> None:
    content = np.random.default_rng(2).bytes(300_000)
    (tmp_path / "A scan.NII.GZ").write_bytes(content)
    a_server.behaviour = answers_json({"image": "scan-1"})
    assert a_client.upload_image(tmp_path / "A scan.NII.GZ", "scan-1") == "scan-1"
    assert a_server.last.method == "PUT"
    assert b'filename="scan-1.nii.gz"' in a_server.last.body
    assert content in a_server.last.body
    a_server.behaviour = answers_json({"image": "another"})
    with pytest.raises(BadAnswer, match="'another', not about 'scan-1'"):
        a_client.upload_image(tmp_path / "A scan.NII.GZ", "scan-1")
    with pytest.raises(SamanticError, match="must end in"):
        a_client.upload_image(tmp_path / "scan.docx", "scan-1")
    with pytest.raises(SamanticError, match=r"gone\.png"):
        a_client.upload_image(tmp_path / "gone.png", "scan-1")


def test_the_next_image_comes_with_its_reason_and_none_with_why_not(a_server: Server, a_client: SamanticClient) -> None:
    a_server.behaviour = answers_json({"id": "mr_017", "path": "/s/mr_017.nii.gz", "weight": 0.3, "reason": "because"})
    sample = a_client.next_sample("hybrid", wait=True)
    assert (sample.image_id, sample.reason, sample.weight) == ("mr_017", "because", 0.3)
    assert a_server.last.path == "/activelearning/hybrid"
    assert json.loads(a_server.last.body) == {"client_id": "reader-1", "wait": True}
    a_server.behaviour = answers_json({"reason": "Every image has a label."})
    nothing = a_client.next_sample("hybrid")
    assert nothing.image_id is None and nothing.reason == "Every image has a label."


def test_an_image_is_given_back_by_who_has_it(a_server: Server, a_client: SamanticClient) -> None:
    a_server.behaviour = answers_json({"image": "ct"})
    a_client.give_back("ct")
    assert (a_server.last.method, a_server.last.path) == ("DELETE", "/samantic/leases/ct")
    assert a_server.last.query == {"client_id": "reader-1"}


@pytest.mark.parametrize(
    "label_info", [{"liver": 1, "spleen": 2}, [{"name": "liver", "idx": 1}, {"name": "spleen", "id": 2}]]
)
def test_a_label_is_submitted_as_final_with_its_names_and_how_it_was_made(
    a_server: Server, a_client: SamanticClient, a_label: Path, label_info: Any
) -> None:
    a_server.behaviour = answers_json({"image": "ct", "label": "ct"})
    assert a_client.submit_label("ct", a_label, label_info, {"seconds": 41.5}) == "ct"
    asked = a_server.last
    assert (asked.method, asked.path) == ("PUT", "/datastore/label")
    assert (asked.query["image"], asked.query["tag"]) == ("ct", "final")
    assert asked.params["label_info"] == [{"name": "liver", "idx": 1}, {"name": "spleen", "idx": 2}]
    assert asked.params["provenance"] == {"seconds": 41.5} and asked.params["client_id"] == "reader-1"
    assert a_label.read_bytes() in asked.body and b'filename="label.nrrd"' in asked.body


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        (hangs_up, ServerAway),
        (cuts(b'{"image": "ct", "label": "ct"}', 10), ServerAway),
        (answers_json({"detail": "The disk is full."}, 500), ServerFailed),
        (answers_json({"detail": "The voxels do not lie on those of the image."}, 422), RequestRefused),
        (answers_json({"detail": "Could not validate credentials"}, 401), LoginNeeded),
        (answers(b"<html>"), BadAnswer),
        (answers_json({"image": "another", "label": "another"}), BadAnswer),
    ],
)
def test_a_label_that_could_not_be_submitted_stays_where_it_is_and_the_error_says_where(
    a_server: Server, a_client: SamanticClient, a_label: Path, behaviour: Any, error: type[SamanticError]
) -> None:
    before = a_label.read_bytes()
    a_server.behaviour = behaviour
    with pytest.raises(error) as failed:
        a_client.submit_label("ct", a_label, {"liver": 2})
    assert f"The label is safe in '{a_label}'" in str(failed.value)
    assert type(failed.value) is error
    assert a_label.read_bytes() == before
    a_server.behaviour = answers_json({"image": "ct", "label": "ct"})
    assert a_client.submit_label("ct", a_label, {"liver": 2}) == "ct"


@pytest.mark.parametrize(
    ("label_info", "said"),
    [
        ({"": 1}, "has no name"),
        ({"liver": 0}, "has the value 0; 1 to 65535"),
        ({"liver": 70000}, "70000"),
        ({"liver": 1.5}, "1.5"),
        ({"liver": 1, "spleen": 1}, "the same name or value"),
        ([{"name": "liver", "idx": 1}, {"name": "liver", "idx": 2}], "the same name or value"),
        ([{"idx": 1}], "The value 1 of the label has no name"),
    ],
)
def test_a_label_whose_values_mean_nothing_is_not_sent(
    a_server: Server, a_client: SamanticClient, a_label: Path, label_info: Any, said: str
) -> None:
    with pytest.raises(SamanticError, match=said):
        a_client.submit_label("ct", a_label, label_info)
    assert a_server.asked == []


def test_a_training_shows_its_epochs_while_it_runs_and_what_became_of_it(
    a_server: Server, a_client: SamanticClient
) -> None:
    epoch = {
        "epoch": 1,
        "epochs": 8,
        "loss": 0.4,
        "mean_dice": 0.8,
        "dice": {"liver": 0.8},
        "best": True,
        "seconds": 9.1,
    }
    task: dict[str, Any] = {"id": "t", "status": "RUNNING", "request": {"model": "segsam"}}
    task["details"] = ["[2026-11-22] INFO starting", json.dumps(epoch), json.dumps({**epoch, "epoch": 2, "loss": None})]
    a_server.behaviour = answers_json(task)
    state = a_client.training()
    assert (state.state, state.model, state.running) == ("running", "segsam", True)
    assert [(one.epoch, one.loss, one.is_best) for one in state.epochs] == [(1, 0.4, True), (2, None, True)]
    assert state.published is None
    end = json.dumps({"published": "0002", "before": 0.79, "after": 0.81})
    a_server.behaviour = answers_json({**task, "status": "DONE", "details": [*task["details"], end]})
    ended = a_client.training()
    assert (ended.state, ended.published, ended.dice_before, ended.dice_after) == ("done", "0002", 0.79, 0.81)
    a_server.behaviour = answers_json({**task, "status": "ERROR", "details": ["{not json", "No image has a label."]})
    assert (a_client.training().state, a_client.training().detail) == ("failed", "No image has a label.")


def test_no_training_is_a_state_and_not_an_error(a_server: Server, a_client: SamanticClient) -> None:
    a_server.behaviour = answers_json({"detail": "No Train Tasks Found"}, 404)
    assert a_client.training().state == "none"
    a_server.behaviour = answers_json(None)
    assert a_client.stop_training().state == "none"
    assert (a_server.last.method, a_server.last.path) == ("DELETE", "/train/")


VERSIONS: dict[str, Any] = {
    "model": "segsam",
    "served": "0001",
    "versions": [
        {"version": "0001", "dice_before": 0.7, "dice_after": 0.79, "published_at": "2026-11-22T01:00:00+00:00"},
        {
            "version": "0002",
            "dice_before": 0.79,
            "dice_after": 0.81,
            "per_class": {"stent": 0.7},
            "new_classes": ["stent"],
        },
    ],
}


def test_the_versions_are_listed_with_what_each_gained_and_the_one_that_is_served(
    a_server: Server, a_client: SamanticClient
) -> None:
    a_server.behaviour = answers_json(VERSIONS)
    bundled, first, second = a_client.versions("segsam")
    assert (a_server.last.method, a_server.last.path) == ("GET", "/samantic/models/segsam/versions")
    assert (bundled.version, bundled.dice_after, bundled.is_served) == ("bundled", None, False)
    assert (first.version, first.dice_before, first.dice_after, first.is_served) == ("0001", 0.7, 0.79, True)
    assert first.published_at == "2026-11-22T01:00:00+00:00"
    assert (second.is_served, second.per_class, second.new_classes) == (False, {"stent": 0.7}, ("stent",))
    a_server.behaviour = answers_json({"model": "segsam", "served": "bundled", "versions": []})
    (only,) = a_client.versions("segsam")
    assert (only.version, only.is_served) == ("bundled", True)


@pytest.mark.parametrize(
    "changed",
    [
        {"model": "besadiff"},
        {"served": "0003"},
        {"served": None},
        {"versions": VERSIONS["versions"][:1] * 2},
        {"versions": [{"version": 1}]},
        {"versions": "0001"},
    ],
)
def test_a_list_of_versions_that_cannot_be_is_not_shown(
    a_server: Server, a_client: SamanticClient, changed: dict[str, Any]
) -> None:
    a_server.behaviour = answers_json({**VERSIONS, **changed})
    with pytest.raises(BadAnswer):
        a_client.versions("segsam")


def test_going_back_to_another_version_names_it(a_server: Server, a_client: SamanticClient) -> None:
    a_server.behaviour = answers_json({"model": "segsam", "served": "0001"})
    a_client.roll_back("segsam", "0001")
    assert (a_server.last.method, a_server.last.path) == ("POST", "/samantic/models/segsam/rollback")
    assert a_server.last.query["version"] == "0001"


@pytest.mark.parametrize("said", [{"served": "0002"}, {"model": "besadiff", "served": "0001"}, {}])
def test_a_server_that_serves_another_version_than_was_asked_for_is_not_believed(
    a_server: Server, a_client: SamanticClient, said: dict[str, str]
) -> None:
    a_server.behaviour = answers_json({"model": "segsam", **said})
    with pytest.raises(BadAnswer):
        a_client.roll_back("segsam", "0001")


@pytest.mark.parametrize(
    ("status", "detail", "error"),
    [
        (404, "There is no version '0009' of this model; there is 0001, and bundled.", RequestRefused),
        (409, "A training is running already for segsam; wait until it is done.", RequestRefused),
        (403, 'Role "admin" is required to perform this action.', LoginNeeded),
    ],
)
def test_a_server_that_does_not_go_back_says_why(
    a_server: Server, a_client: SamanticClient, status: int, detail: str, error: type[SamanticError]
) -> None:
    a_server.behaviour = answers_json({"detail": detail}, status)
    with pytest.raises(error, match=detail[:20]):
        a_client.roll_back("segsam", "0009")


def test_a_word_of_an_address_cannot_become_another_address(a_server: Server, a_client: SamanticClient) -> None:
    a_server.behaviour = answers_json({**JOB, "id": "../../datastore/?x=y#z"})
    a_client.job("../../datastore/?x=y#z")
    assert a_server.last.path == "/samantic/jobs/..%2F..%2Fdatastore%2F%3Fx%3Dy%23z"
