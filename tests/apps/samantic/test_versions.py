"""/samantic/models/…: the versions of a model over HTTP, and going back to one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from monailabel.config import settings
from monailabel.endpoints.user.auth import User, get_current_user
from monailabel.utils.async_tasks import utils as background
from starlette.testclient import TestClient

from samantic.app.lib.infers.published_model import PublishedModel
from samantic.app.lib.server.errors import install_error_handlers
from samantic.app.lib.server.routes_versions import versions_router
from samantic.app.lib.trainers.segsam import SegSamTrainer
from samantic.training.model_store import CURRENT, NOTES, ModelStore

SCORES = {
    "before": {"mean_dice": 0.79, "dice": {"liver": 0.79}},
    "after": {"mean_dice": 0.81, "dice": {"liver": 0.9, "stent": 0.72}},
}
NOTED = {
    "parent": "bundled",
    "learned_from": ["a", "b", "c"],
    "held_out": ["d"],
    "classes": ["liver", "stent"],
    "new_classes": ["stent"],
    "validation": SCORES,
}


@pytest.fixture
def a_server(store: ModelStore, start: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """The routes over a real store; `segsam` can be trained, `other` by a task that keeps no versions."""
    trainers = {"segsam": SegSamTrainer(store, start, lambda: None), "other": object()}
    monkeypatch.setattr(
        "samantic.app.lib.server.routes_versions.running_app", lambda: SimpleNamespace(_trainers=trainers)
    )
    monkeypatch.setattr("samantic.training.model_store.PATIENCE_S", 0.05)
    monkeypatch.setitem(background.background_tasks, "train", [])
    app = FastAPI()
    install_error_handlers(app)
    app.include_router(versions_router())
    with TestClient(app) as client:
        yield client


@pytest.fixture
def publish(store: ModelStore) -> Callable[[str], str]:
    """Publishes a file that holds a text, and returns the version."""
    return lambda text: store.publish(lambda path: path.write_text(text), NOTED).version


def versions(server: TestClient) -> dict[str, Any]:
    answer = server.get("/samantic/models/segsam/versions")
    assert answer.status_code == 200, answer.text
    return answer.json()


def roll_back(server: TestClient, version: str | None = None, model: str = "segsam") -> httpx.Response:
    return server.post(f"/samantic/models/{model}/rollback", params={} if version is None else {"version": version})


def test_before_the_first_training_the_bundled_weights_are_served(a_server: TestClient) -> None:
    assert versions(a_server) == {"model": "segsam", "served": "bundled", "versions": []}


def test_every_version_says_what_it_learned_from_and_how_good_it_is(
    a_server: TestClient, publish: Callable[[str], str], store: ModelStore
) -> None:
    publish("one"), publish("two")
    told = versions(a_server)
    assert told["served"] == "0002"
    assert [one["version"] for one in told["versions"]] == ["0001", "0002"]
    first, second = told["versions"]
    assert first["sha256"] == store.history()[0].notes["sha256"] != second["sha256"]
    assert (first["learned_from"], first["held_out"], first["parent"]) == (3, 1, "bundled")
    assert (first["dice_before"], first["dice_after"]) == (0.79, 0.81)
    assert first["per_class"] == {"liver": 0.9, "stent": 0.72}
    assert (first["classes"], first["new_classes"]) == (["liver", "stent"], ["stent"])


def test_going_back_and_forth_is_served_at_once(
    a_server: TestClient, publish: Callable[[str], str], store: ModelStore, tmp_path: Path
) -> None:
    (tmp_path / "bundled").write_text("bundled")
    served = PublishedModel(store, tmp_path / "bundled", Path.read_text, ValueError)
    publish("one"), publish("two")
    for asked, now, weights in (
        (None, "0001", "one"),
        ("0002", "0002", "two"),
        ("bundled", "bundled", "bundled"),
        ("0002", "0002", "two"),
    ):
        answer = roll_back(a_server, asked)
        assert answer.status_code == 200, answer.text
        assert answer.json() == {"model": "segsam", "served": now}
        assert versions(a_server)["served"] == now
        assert served.now() == weights


def test_bundled_weights_are_before_the_first_version_and_nothing_is_before_them(
    a_server: TestClient, publish: Callable[[str], str]
) -> None:
    publish("one")
    assert roll_back(a_server).json()["served"] == "bundled"
    refused = roll_back(a_server)
    assert refused.status_code == 409
    assert "nothing before them" in refused.json()["detail"]


@pytest.mark.parametrize("version", ["0003", "1", "", "../0001", "0001/../0002", "\u0661"])
def test_a_version_that_is_not_there_is_refused_with_those_that_are(
    a_server: TestClient, publish: Callable[[str], str], version: str
) -> None:
    publish("one"), publish("two")
    refused = roll_back(a_server, version)
    assert refused.status_code == 404
    assert f"There is no version '{version}'" in refused.json()["detail"]
    assert "there is 0001, 0002, and bundled" in refused.json()["detail"]
    assert versions(a_server)["served"] == "0002"


@pytest.mark.parametrize("model", ["other", "unheard-of", "segsam_auto"])
def test_a_model_without_versions_is_refused_with_those_that_have_some(a_server: TestClient, model: str) -> None:
    for refused in (a_server.get(f"/samantic/models/{model}/versions"), roll_back(a_server, "0001", model)):
        assert refused.status_code == 404
        assert refused.json()["detail"] == (
            f"There are no versions of a model '{model}'; there are versions of segsam."
        )


def test_while_another_process_trains_the_model_nothing_is_rolled_back(
    a_server: TestClient, publish: Callable[[str], str], store: ModelStore
) -> None:
    publish("one"), publish("two")
    with ModelStore(store.folder).alone():
        refused = roll_back(a_server, "0001")
        assert refused.status_code == 409
        assert "A training is running" in refused.json()["detail"]
        assert versions(a_server)["served"] == "0002"
    assert roll_back(a_server, "0001").status_code == 200


@pytest.mark.parametrize(
    ("model", "status", "expected"),
    [("segsam", "SUBMITTED", 409), ("segsam", "RUNNING", 409), ("segsam", "DONE", 200), ("besadiff", "RUNNING", 200)],
)
def test_a_training_that_is_about_to_begin_keeps_its_own_model_as_it_is(
    a_server: TestClient, publish: Callable[[str], str], model: str, status: str, expected: int
) -> None:
    publish("one"), publish("two")
    background.background_tasks["train"].append({"id": "t", "status": status, "request": {"model": model}})
    answer = roll_back(a_server, "0001")
    assert answer.status_code == expected
    assert versions(a_server)["served"] == ("0001" if expected == 200 else "0002")


def test_a_damaged_record_is_said_and_a_rollback_mends_it(
    a_server: TestClient, publish: Callable[[str], str], store: ModelStore
) -> None:
    publish("one")
    (store.folder / CURRENT).write_text("{")
    told = a_server.get("/samantic/models/segsam/versions")
    assert told.status_code == 409
    assert "roll back to a version to mend it" in told.json()["detail"]
    assert roll_back(a_server, "0001").json()["served"] == "0001"


def test_a_damaged_version_is_not_gone_back_to_but_others_are(
    a_server: TestClient, publish: Callable[[str], str], store: ModelStore
) -> None:
    publish("one"), publish("two")
    (store.folder / "0001" / NOTES).unlink()
    assert roll_back(a_server, "0001").status_code == 409
    current = store.current()
    assert current is not None
    assert current.version == "0002"
    assert roll_back(a_server, "bundled").json()["served"] == "bundled"


def test_where_logins_are_on_looking_needs_a_user_and_going_back_an_administrator(
    a_server: TestClient, publish: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    publish("one"), publish("two")
    monkeypatch.setattr(settings, "MONAI_LABEL_AUTH_ENABLE", True)
    person = User(username="reader", roles=[settings.MONAI_LABEL_AUTH_ROLE_USER])
    assert isinstance(a_server.app, FastAPI)
    a_server.app.dependency_overrides[get_current_user] = lambda: person
    assert versions(a_server)["served"] == "0002"
    assert roll_back(a_server, "0001").status_code == 403
    assert versions(a_server)["served"] == "0002"
    person.roles.append(settings.MONAI_LABEL_AUTH_ROLE_ADMIN)
    assert roll_back(a_server, "0001").status_code == 200
    person.roles.clear()
    assert a_server.get("/samantic/models/segsam/versions").status_code == 403
