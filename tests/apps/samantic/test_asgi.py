"""The server's own parts, and the whole of it over real HTTP with tasks that take as long as a test wants."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import requests
import uvicorn
from monailabel.interfaces.tasks.infer_v2 import InferTask, InferType
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from samantic.app.lib.server.errors import UnexpectedErrors
from samantic.app.lib.server.inference_queue import BusyError, InferenceQueue
from samantic.app.lib.server.json_input import json_object
from samantic.app.lib.server.limits import UploadLimit
from samantic.app.lib.server.sessions import DurableSessions
from samantic.app.lib.server.settings import MIB, Limits, allowed_origins

WAITING = 2


class TestTask(InferTask):
    """Answers an empty mask after `seconds`, while the params ask for it, or crashes; notes the order of its calls."""

    __test__ = False

    def __init__(self) -> None:
        super().__init__(InferType.DEEPGROW, ["liver", "spleen"], 2, "a task for tests")
        self.calls: list[dict[str, Any]] = []
        self.go_on = threading.Event()

    def is_valid(self) -> bool:
        return True

    def __call__(self, request: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        self.calls.append(request)
        if request.get("waits"):
            assert self.go_on.wait(30)
        if request.get("crashes"):
            raise RuntimeError("secret inner details")
        file = tempfile.NamedTemporaryFile(suffix=".nii.gz", delete=False).name  # noqa: SIM115
        nibabel.save(nibabel.Nifti1Image(np.zeros((8, 9, 5), np.uint8), np.diag([-1.0, -1.0, 2.0, 1.0])), file)
        return file, {"label_names": {"liver": 1}, "image": Path(request["image"]).name}


class HostedServer:
    """The whole application in threads of this process, over real HTTP."""

    def __init__(self, url: str, app: Any, task: TestTask, temporary: Path) -> None:
        self.url, self.app, self.task, self.temporary = url, app, task, temporary

    def infer(self, image: str = "ct", output: str = "json", files: Any = None, **params: Any) -> requests.Response:
        return requests.post(
            f"{self.url}/infer/test",
            params={"image": image, "output": output},
            data={"params": json.dumps(params)},
            files=files,
            timeout=60,
        )

    def wait_for_calls(self, count: int) -> None:
        wait_until(lambda: len(self.task.calls) >= count)


@pytest.fixture
def a_hosted_server(studies: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HostedServer]:
    from monailabel.app import app as stock
    from monailabel.config import settings
    from monailabel.interfaces.utils import app as apps

    import samantic.app.lib.model_choice as model_choice
    from samantic.app.lib.server.app import create_server
    from samantic.app.main import SamanticApp

    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setattr(settings, "MONAI_LABEL_APP_DIR", str(tmp_path / "app"))
    monkeypatch.setattr(settings, "MONAI_LABEL_STUDIES", str(studies))
    monkeypatch.setattr(settings, "MONAI_LABEL_SESSION_PATH", str(tmp_path / "sessions"))
    monkeypatch.setattr(settings, "MONAI_LABEL_AUTO_UPDATE_SCORING", False)
    task = TestTask()
    monkeypatch.setattr(model_choice, "_known_configs", dict)
    monkeypatch.setattr("samantic.app.main.chosen_configs", lambda _: {})
    monkeypatch.setattr(SamanticApp, "init_infers", lambda _: {"test": task})
    app = SamanticApp(str(tmp_path / "app"), str(studies), {})
    monkeypatch.setitem(apps.apps, f"{settings.MONAI_LABEL_APP_DIR}{settings.MONAI_LABEL_STUDIES}", app)
    limits = {"SAMANTIC_INFER_RUNNING": "1", "SAMANTIC_INFER_WAITING": str(WAITING)}
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(create_server(stock, limits), lifespan="off", log_level="error", log_config=None)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            time.sleep(0.005)
        yield HostedServer(f"http://127.0.0.1:{listening.getsockname()[1]}", app, task, temporary)
        task.go_on.set()
        server.should_exit = True
        thread.join(timeout=30)


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def in_background(call: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(call()))
    thread.start()
    return thread, results


def test_info_answers_at_once_while_an_inference_runs(a_hosted_server: HostedServer) -> None:
    click, results = in_background(lambda: a_hosted_server.infer(waits=True))
    a_hosted_server.wait_for_calls(1)
    requests.get(f"{a_hosted_server.url}/info/", timeout=10)
    seconds = []
    for _ in range(20):
        start = time.perf_counter()
        assert requests.get(f"{a_hosted_server.url}/info/", timeout=10).json()["labels"] == ["liver", "spleen"]
        seconds.append(time.perf_counter() - start)
    a_hosted_server.task.go_on.set()
    click.join(30)
    assert results[0].status_code == 200
    assert sorted(seconds)[10] < 0.05


def test_a_full_server_says_that_it_is_busy_and_when_to_come_again(a_hosted_server: HostedServer) -> None:
    requests_made = [in_background(lambda: a_hosted_server.infer(waits=True))]
    a_hosted_server.wait_for_calls(1)
    too_many = 3
    requests_made += [in_background(a_hosted_server.infer) for _ in range(WAITING + too_many)]
    wait_until(lambda: sum(len(results) for _, results in requests_made) == too_many)
    a_hosted_server.task.go_on.set()
    for thread, _ in requests_made:
        thread.join(30)
    answers = [results[0] for _, results in requests_made]
    assert sorted(answer.status_code for answer in answers) == [200] * (1 + WAITING) + [503] * too_many
    refused = next(answer for answer in answers if answer.status_code == 503)
    assert "busy" in refused.json()["detail"] and refused.headers["Retry-After"] == "1"
    assert a_hosted_server.infer().status_code == 200


def test_a_waiting_click_comes_before_background_work(a_hosted_server: HostedServer) -> None:
    first, _ = in_background(lambda: a_hosted_server.infer(waits=True))
    a_hosted_server.wait_for_calls(1)
    background, _ = in_background(lambda: a_hosted_server.infer(priority="background", name="background"))
    time.sleep(0.3)
    click, _ = in_background(lambda: a_hosted_server.infer(name="click"))
    time.sleep(0.3)
    a_hosted_server.task.go_on.set()
    for thread in (first, background, click):
        thread.join(30)
    assert [call.get("name") for call in a_hosted_server.task.calls] == [None, "click", "background"]


def test_an_unexpected_error_is_a_number_for_the_client_and_a_trace_in_the_log(
    a_hosted_server: HostedServer, caplog: pytest.LogCaptureFixture, write_nifti: Callable, tmp_path: Path
) -> None:
    upload = write_nifti(tmp_path / "up.nii.gz").read_bytes()
    with caplog.at_level(logging.ERROR):
        answer = a_hosted_server.infer(
            image="", files={"file": ("up.nii.gz", upload), "label": ("l.nii.gz", upload)}, crashes=True
        )
    assert answer.status_code == 500
    sentence = answer.json()["detail"]
    assert "secret" not in sentence and "Traceback" not in sentence
    number = sentence.rstrip(".").split()[-1]
    assert any(number in record.getMessage() and record.exc_info for record in caplog.records)
    assert list(a_hosted_server.temporary.iterdir()) == []


@pytest.mark.parametrize("output", ["json", "image", "all"])
def test_nothing_stays_in_the_temporary_folder_after_a_good_answer(
    output: str, a_hosted_server: HostedServer, write_nifti: Callable, tmp_path: Path
) -> None:
    upload = write_nifti(tmp_path / "up.nii.gz").read_bytes()
    files = {"file": ("scan 1.2 (of 3).nii.gz", upload), "label": ("l.nii.gz", upload)}
    answer = a_hosted_server.infer(image="", output=output, files=files, label="liver")
    assert answer.status_code == 200, answer.text
    call = a_hosted_server.task.calls[0]
    assert call["label"] == "liver" and Path(call["label_file"]).name.endswith(".nii.gz")
    assert call["client_address"] == "127.0.0.1"
    wait_until(lambda: not list(a_hosted_server.temporary.iterdir()))


def test_a_mask_can_be_kept_as_a_label_of_its_image(a_hosted_server: HostedServer) -> None:
    assert a_hosted_server.infer(save_label=True, label_tag="guess").status_code == 200
    info = requests.get(f"{a_hosted_server.url}/datastore/label/info?label=ct&tag=guess", timeout=10).json()
    assert info["model"] == "test" and info["params"]["label_names"] == {"liver": 1}


def test_an_image_id_that_is_also_a_file_where_the_server_runs_is_still_the_image(
    a_hosted_server: HostedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ct").write_text("not the image")
    monkeypatch.chdir(tmp_path)
    assert a_hosted_server.infer().json()["image"] == "ct.nii.gz"


def test_a_session_is_opened_used_and_closed(
    a_hosted_server: HostedServer, write_nifti: Callable, tmp_path: Path
) -> None:
    upload = write_nifti(tmp_path / "up.nii.gz").read_bytes()
    url = f"{a_hosted_server.url}/session/"
    opened = requests.put(url, files={"files": ("my scan.nii.gz", upload)}, timeout=30).json()
    session = opened["session_id"]
    assert requests.get(url + session, timeout=10).json()["image"] == opened["session_info"]["image"]
    assert requests.get(url + session, params={"image": True}, timeout=10).content == upload
    answer = requests.post(
        f"{a_hosted_server.url}/infer/test",
        # The stock Slicer module sends the name of its volume along, whatever that is.
        params={"session_id": session, "image": "2: CT head", "output": "json"},
        data={"params": "{}"},
        timeout=30,
    )
    assert answer.json()["image"] == "my scan.nii.gz"
    assert requests.delete(url + session, timeout=10).status_code == 200
    assert requests.get(url + session, timeout=10).status_code == 404


def test_an_uploaded_image_is_listed_downloaded_labelled_and_removed(
    a_hosted_server: HostedServer, write_nifti: Callable, tmp_path: Path
) -> None:
    url, image = f"{a_hosted_server.url}/datastore", write_nifti(tmp_path / "x.nii.gz", 7).read_bytes()
    put = requests.put(f"{url}/image", files={"file": ("My scan (2).NII.GZ", image)}, data={"params": "{}"}, timeout=30)
    assert put.json() == {"image": "My_scan_2"}
    assert requests.get(f"{url}/image?image=My_scan_2", timeout=10).content == image
    digest = hashlib.sha256(image).hexdigest()
    assert requests.head(f"{url}/image?image=My_scan_2&check_sum=SHA256:{digest}", timeout=10).status_code == 200
    saved = requests.put(f"{url}/label?image=My_scan_2", files={"label": ("l.nii.gz", image)}, timeout=30)
    assert saved.json() == {"image": "My_scan_2", "label": "My_scan_2"}
    assert requests.get(f"{url}/label?label=My_scan_2&tag=final", timeout=10).content == image
    archive = requests.get(f"{url}/dataset", timeout=10)
    assert archive.content[:2] == b"PK"
    assert requests.delete(f"{url}/label?id=My_scan_2&tag=final", timeout=10).status_code == 200
    assert requests.delete(f"{url}/image?id=My_scan_2", timeout=10).status_code == 200
    assert requests.get(f"{url}/image?image=My_scan_2", timeout=10).status_code == 404
    assert list(a_hosted_server.temporary.iterdir()) == []


def test_the_next_image_is_one_of_the_studies(a_hosted_server: HostedServer) -> None:
    first = requests.post(f"{a_hosted_server.url}/activelearning/first", json={"client_id": "me"}, timeout=10).json()
    assert (first["id"], first["name"]) == ("ct", "ct.nii.gz")
    chosen = requests.post(f"{a_hosted_server.url}/activelearning/random", timeout=10).json()
    assert chosen["id"] in ("ct", "lesion", "scan")


def test_reload_keeps_the_running_app(a_hosted_server: HostedServer) -> None:
    assert requests.post(f"{a_hosted_server.url}/reload", timeout=10).json() == {}
    assert requests.get(f"{a_hosted_server.url}/info/", timeout=10).json()["models"].keys() == {"test"}


def test_capabilities_and_vocabulary_say_what_there_is(a_hosted_server: HostedServer) -> None:
    said = requests.get(f"{a_hosted_server.url}/samantic/capabilities", timeout=10).json()
    assert said["limits"]["waiting"] == WAITING and said["models"] == {"test": {"type": "deepgrow", "dimension": 2}}
    words = requests.get(f"{a_hosted_server.url}/samantic/vocabulary?model=test", timeout=10).json()["classes"]
    assert {word["name"] for word in words} == {"liver", "spleen"}
    assert all(word["type"]["scheme"] == "SCT" and len(word["colour_rgb"]) == 3 for word in words)
    everything = requests.get(f"{a_hosted_server.url}/samantic/vocabulary", timeout=10).json()
    lesions = requests.get(f"{a_hosted_server.url}/samantic/vocabulary?domain=dermoscopy", timeout=10).json()
    assert len(lesions["classes"]) < len(everything["classes"])


def test_pages_of_this_machine_may_use_the_server_without_credentials(a_hosted_server: HostedServer) -> None:
    for origin in ("http://localhost:8080", "http://127.0.0.1", "https://[::1]:9"):
        headers = requests.get(f"{a_hosted_server.url}/info/", headers={"Origin": origin}, timeout=10).headers
        assert headers["Access-Control-Allow-Origin"] == origin
        assert "Access-Control-Allow-Credentials" not in headers
    refused = requests.get(
        f"{a_hosted_server.url}/info/", headers={"Origin": "http://localhost.evil.example"}, timeout=10
    )
    assert refused.status_code == 403 and "Access-Control-Allow-Origin" not in refused.headers


def test_origins_can_be_named_and_a_wrong_one_is_refused() -> None:
    pattern = allowed_origins({"SAMANTIC_ALLOWED_ORIGINS": "https://lab.example:8443/, http://b.example"})
    for origin, allowed in {
        "https://lab.example:8443": True,
        "http://b.example": True,
        "http://bXexample": False,
    }.items():
        assert bool(re.fullmatch(pattern, origin)) is allowed
    with pytest.raises(ValueError, match=r"'\*'"):
        allowed_origins({"SAMANTIC_ALLOWED_ORIGINS": "*"})


@pytest.mark.parametrize(
    ("variable", "value"),
    [("SAMANTIC_MAX_UPLOAD_MB", "0"), ("SAMANTIC_INFER_RUNNING", "many"), ("SAMANTIC_INFER_WAITING", "-1")],
)
def test_a_limit_that_is_no_number_is_refused_by_its_name(variable: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"{variable} is '{value}'"):
        Limits.from_environment({variable: value})


def test_the_queue_gives_turns_in_order_clicks_first_and_is_bounded() -> None:
    queue = InferenceQueue(running=1, waiting=4)
    order: list[str] = []

    def work(name: str, background: bool) -> None:
        with queue.turn(background):
            order.append(name)

    with queue.turn():
        threads = []
        for number, (name, background) in enumerate([("b1", True), ("c1", False), ("b2", True), ("c2", False)], 1):
            threads.append(threading.Thread(target=work, args=(name, background)))
            threads[-1].start()
            wait_until(lambda number=number: queue.waiting == number)
        with pytest.raises(BusyError), queue.turn():
            pass
    for thread in threads:
        thread.join(10)
    assert order == ["c1", "c2", "b1", "b2"]
    with queue.turn():
        order.append("again")
    assert order[-1] == "again"


def test_background_work_leaves_half_of_the_waiting_room_to_clicks() -> None:
    queue = InferenceQueue(running=1, waiting=2)
    with queue.turn():
        waiting = threading.Thread(target=lambda: queue.turn(background=True).__enter__())
        waiting.start()
        wait_until(lambda: queue.waiting == 1)
        with pytest.raises(BusyError), queue.turn(background=True):
            pass
    waiting.join(10)


def test_never_more_at_work_than_allowed_and_an_error_gives_its_turn_back() -> None:
    queue, lock = InferenceQueue(running=3, waiting=100), threading.Lock()
    at_work, most = 0, 0

    def work(number: int) -> None:
        nonlocal at_work, most
        try:
            with queue.turn(background=number % 2 == 0):
                with lock:
                    at_work += 1
                    most = max(most, at_work)
                time.sleep(0.002)
                with lock:
                    at_work -= 1
                if number % 5 == 0:
                    raise RuntimeError
        except RuntimeError:
            pass

    threads = [threading.Thread(target=work, args=(number,)) for number in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert (at_work, most) == (0, 3)


def test_json_is_an_object_or_nothing() -> None:
    assert json_object("", "params") == {} == json_object(None, "params")
    assert json_object('{"a": [1, 2.5, "ü", null]}', "params") == {"a": [1, 2.5, "ü", None]}


def test_a_body_of_unknown_length_is_cut_off_at_the_limit() -> None:
    read: list[int] = []

    async def swallow(request: Request) -> PlainTextResponse:
        read.append(len(await request.body()))
        return PlainTextResponse("taken")

    client = TestClient(UploadLimit(Starlette(routes=[Route("/", swallow, methods=["POST"])]), MIB))
    assert client.post("/", content=(bytes(1024) for _ in range(1024))).text == "taken"
    assert client.post("/", content=(bytes(1024) for _ in range(1025))).status_code == 413
    assert client.post("/", content=bytes(MIB + 1)).status_code == 413
    assert read == [MIB]


def test_an_error_after_the_answer_has_begun_is_not_answered_twice() -> None:
    async def half(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("too late")

    with pytest.raises(RuntimeError, match="too late"):
        TestClient(UnexpectedErrors(half)).get("/")


def test_half_made_and_expired_sessions_are_removed_and_do_not_stop_the_start(
    tmp_path: Path, write_nifti: Callable
) -> None:
    sessions = DurableSessions(str(tmp_path / "sessions"))
    kept, _ = sessions.add_session(str(write_nifti(tmp_path / "a.nii.gz")))
    expired, info = sessions.add_session(str(write_nifti(tmp_path / "b.nii.gz")))
    info.last_access_ts = 1
    sessions._write_meta_info(expired, info)
    old, young = tmp_path / "sessions" / "old", tmp_path / "sessions" / "young"
    for folder in (old, young):
        folder.mkdir()
        (folder / "meta.info").write_text('{"image": "/no')
    os.utime(old, (1, 1))
    again = DurableSessions(str(tmp_path / "sessions"))
    assert again.remove_expired() == 2
    assert {path.name for path in (tmp_path / "sessions").iterdir()} == {kept, "young"}
    assert again.get_session(kept) is not None and again.get_session("young") is None
