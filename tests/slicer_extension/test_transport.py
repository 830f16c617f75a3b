"""The client against servers that really misbehave: away, slow, broken, lying, untrusted; and when they are back."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import IO, Any

import pytest
from SamanticLib.cancellation import Cancellation, working_under
from SamanticLib.client import SamanticClient
from SamanticLib.errors import (
    BadAnswer,
    Cancelled,
    CertificateWrong,
    DiskFull,
    LoginNeeded,
    RequestRefused,
    SamanticError,
    ServerAway,
    ServerFailed,
    ServerSlow,
)
from SamanticLib.image_files import download
from SamanticLib.transport import Transport
from SamanticLib.worker import Worker
from tests.slicer_extension.servers import (
    Asked,
    Certificate,
    Server,
    answers,
    answers_json,
    cuts,
    hangs,
    hangs_up,
    running,
    self_signed,
)

INFO = {"name": "Samantic", "version": "1", "models": {}, "labels": []}
NIFTI = "application/octet-stream"
NAMED = {"Content_Disposition": 'attachment; filename="ct.nii.gz"'}


@pytest.fixture
def a_server() -> Iterator[Server]:
    with running(answers_json(INFO)) as server:
        yield server


@pytest.fixture(scope="module")
def a_certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return self_signed(tmp_path_factory.mktemp("certificate"))


def client_of(server: Server, **options: Any) -> SamanticClient:
    return SamanticClient(server.url, **{"connect_timeout_s": 2, "read_timeout_s": 10, **options})


def full_disk(_: Path) -> IO[bytes]:
    return Path("/dev/full").open("wb")


def works_again(client: SamanticClient, server: Server) -> None:
    server.behaviour = answers_json(INFO)
    assert client.info().name == "Samantic"


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_server_that_is_away_is_named_and_answers_when_it_is_back() -> None:
    port = unused_port()
    client = SamanticClient(f"http://127.0.0.1:{port}")
    with pytest.raises(ServerAway, match=rf"Nobody answers at http://127.0.0.1:{port}\. Is the address right"):
        client.info()
    with running(answers_json(INFO), port) as server:
        assert client.info().name == "Samantic"
        assert len(server.asked) == 1
    with running(answers_json({**INFO, "version": "2"}), port):
        assert client.info().version == "2"


def test_an_address_that_takes_no_connection_is_given_up_after_the_time_to_connect() -> None:
    with socket.socket() as full:  # a queue of nobody: further connections hang
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        client = SamanticClient(f"http://127.0.0.1:{full.getsockname()[1]}", connect_timeout_s=0.3, read_timeout_s=0.3)
        began = time.monotonic()
        with pytest.raises((ServerAway, ServerSlow)):
            client.info()
        assert time.monotonic() - began < 5
        for one in waiting:
            one.close()


def test_a_slow_server_is_given_up_after_the_time_limit_and_works_again(a_server: Server) -> None:
    a_server.behaviour = hangs(a_server.ending)
    client = client_of(a_server, read_timeout_s=0.3)
    began = time.monotonic()
    with pytest.raises(ServerSlow, match=r"longer than 0\.3 s to answer.*try again"):
        client.segment("segsam", "ct", {})
    assert time.monotonic() - began < 3
    works_again(client, a_server)


def test_a_slow_server_can_be_cancelled_meanwhile_within_a_second(a_server: Server) -> None:
    arrived = threading.Event()

    def slow(handler: BaseHTTPRequestHandler, _: Asked) -> None:
        arrived.set()
        a_server.ending.wait(10)
        handler.close_connection = True

    a_server.behaviour = slow
    client, cancellation, ended = client_of(a_server, read_timeout_s=30), Cancellation(), []

    def ask() -> None:
        with working_under(cancellation), pytest.raises(Cancelled):
            client.segment("segsam", "ct", {})
        ended.append(time.monotonic())

    asking = threading.Thread(target=ask)
    asking.start()
    assert arrived.wait(10)
    cancelled = time.monotonic()
    cancellation.cancel()
    asking.join(10)
    assert ended[0] - cancelled < 1
    works_again(client, a_server)


def test_a_newer_click_does_not_wait_for_the_slow_one_before_it(a_server: Server) -> None:
    arrived = threading.Event()
    delivered: list[Any] = []
    done = threading.Event()

    def slow(handler: BaseHTTPRequestHandler, _: Asked) -> None:
        arrived.set()
        a_server.ending.wait(10)
        handler.close_connection = True

    a_server.behaviour = slow
    client = client_of(a_server, read_timeout_s=30)
    worker = Worker(lambda deliver: deliver())
    worker.submit("click", client.info, delivered.append, delivered.append)
    assert arrived.wait(10)
    a_server.behaviour = answers_json(INFO)
    began = time.monotonic()
    worker.submit("click", client.info, lambda info: (delivered.append(info.name), done.set()), delivered.append)
    assert done.wait(10)
    assert time.monotonic() - began < 1
    assert delivered == ["Samantic"]
    worker.close()


def test_an_answer_that_drips_is_given_up(a_server: Server) -> None:
    def drips(handler: BaseHTTPRequestHandler, _: Asked) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        while not a_server.ending.wait(0.05):
            handler.wfile.write(b" ")
            handler.wfile.flush()

    a_server.behaviour = drips
    with pytest.raises(ServerSlow):
        client_of(a_server, read_timeout_s=0.5).info()


def test_an_answer_without_an_end_is_not_read_to_its_end(a_server: Server) -> None:
    def floods(handler: BaseHTTPRequestHandler, _: Asked) -> None:
        handler.send_response(200)
        handler.send_header("Connection", "close")
        handler.end_headers()
        while not a_server.ending.is_set():
            handler.wfile.write(bytes(1 << 20))

    a_server.behaviour = floods
    with pytest.raises(BadAnswer, match="longer than 67108864 bytes"):
        client_of(a_server).info()


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        (answers_json({"detail": "its log has it as 0badf00d."}, 500), r"could not do this \(500\).*0badf00d"),
        (answers(b"<h1>Oops</h1>", "text/html", 502), r"\(502\)\. It gave no reason\."),
        (answers_json({"detail": "24 inferences are waiting already."}, 503), "24 inferences are waiting already"),
        (answers_json({"detail": ["a list"]}, 500), "It gave no reason"),
    ],
)
def test_a_server_that_fails_is_told_from_one_that_refuses(a_server: Server, behaviour: Any, said: str) -> None:
    a_server.behaviour = behaviour
    client = client_of(a_server)
    with pytest.raises(ServerFailed, match=said) as failed:
        client.info()
    assert failed.value.status >= 500
    works_again(client, a_server)


def test_a_refusal_is_the_servers_own_sentence_in_one_line(a_server: Server) -> None:
    a_server.behaviour = answers_json({"detail": "The point\n[22, 30, 99] is outside the image."}, 422)
    with pytest.raises(RequestRefused) as refused:
        client_of(a_server).segment("segsam", "ct", {"foreground": [[22, 30, 99]]})
    assert str(refused.value) == "The point [22, 30, 99] is outside the image."
    assert refused.value.status == 422


@pytest.mark.parametrize(
    "asks",
    [
        lambda client: client.info(),
        lambda client: client.vocabulary(),
        lambda client: client.images(),
        lambda client: client.segment("segsam", "ct", {}),
        lambda client: client.next_sample("first"),
        lambda client: client.start_job("propagation", "ct", {}),
    ],
)
def test_a_connection_cut_in_mid_body_gives_nothing_and_the_next_request_works(
    a_server: Server, asks: Callable[[SamanticClient], Any]
) -> None:
    a_server.behaviour = cuts(json.dumps(INFO).encode(), after=20)
    client = client_of(a_server)
    with pytest.raises(ServerAway, match="broke in the middle of the answer; nothing of it was used"):
        asks(client)
    works_again(client, a_server)


def test_a_connection_closed_without_a_word_is_said(a_server: Server) -> None:
    a_server.behaviour = hangs_up
    client = client_of(a_server)
    with pytest.raises(ServerAway, match="closed the connection without an answer"):
        client.train("segsam")
    assert len(a_server.asked) == 1  # two trainings would be worse than none
    works_again(client, a_server)


def test_a_kept_connection_that_the_server_has_closed_is_not_noticed_by_the_person(a_server: Server) -> None:
    client = client_of(a_server)
    client.info()

    def once(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        a_server.behaviour = answers_json(INFO)
        hangs_up(handler, asked)

    a_server.behaviour = once
    assert client.info().name == "Samantic"
    assert len(a_server.asked) == 3


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html>Welcome to nginx</html>", "not JSON but begins with '<html>Welcome to nginx</html>'. Is this"),
        (b"", "not JSON"),
        (b"[" * 200_000, "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[]", "should have sent a JSON object but sent a list"),
        (b"{}", "no MONAI Label server"),
        (b'{"models": []}', "Of 'models' in .* a JSON object but sent a list"),
        (b'{"models": {"segsam": 3}}', "'segsam' in 'models'.*sent a number"),
        (b'{"models": {"segsam": {"dimension": "two"}}}', "a whole number as 'dimension' but sent 'two'"),
        (b'{"models": {}, "labels": [1]}', "a list of texts as 'labels'"),
    ],
)
def test_garbage_is_refused_with_a_sentence(a_server: Server, content: bytes, said: str) -> None:
    a_server.behaviour = answers(content)
    client = client_of(a_server)
    with pytest.raises(BadAnswer, match=said):
        client.info()
    works_again(client, a_server)


def test_a_redirect_is_not_followed_with_the_token_but_named(a_server: Server) -> None:
    a_server.behaviour = answers(b"", status=307, Location="http://elsewhere.example/info/")
    with pytest.raises(BadAnswer, match=r"sends on to 'http://elsewhere.example/info/'"):
        client_of(a_server, token="secret").info()


def test_a_wrong_certificate_is_refused_before_anything_is_sent(a_certificate: Certificate) -> None:
    with running(answers_json(INFO), certificate=a_certificate) as server:
        with pytest.raises(
            CertificateWrong, match=r"not trusted here: self-signed certificate.*otherwise do not go on"
        ):
            client_of(server, token="secret").info()
        assert server.asked == []


def test_a_certificate_file_adds_its_authority(a_certificate: Certificate) -> None:
    with running(answers_json(INFO), certificate=a_certificate) as server:
        client = client_of(server, certificate_file=a_certificate.file)
        assert client.info().name == "Samantic"
        stranger = client_of(server)
        with pytest.raises(CertificateWrong):
            stranger.info()
        elsewhere = SamanticClient(server.url.replace("127.0.0.1", "localhost"), certificate_file=a_certificate.file)
        with pytest.raises(CertificateWrong):
            elsewhere.info()


def test_a_server_without_tls_under_https_is_said(a_server: Server) -> None:
    with pytest.raises(ServerAway, match="does not speak TLS"):
        SamanticClient(a_server.url.replace("http:", "https:"), read_timeout_s=5).info()


@pytest.mark.parametrize("name", ["missing.pem", "none.pem"])
def test_a_file_without_a_certificate_is_said_at_once(tmp_path: Path, name: str) -> None:
    (tmp_path / "none.pem").write_text("not a certificate")
    with pytest.raises(SamanticError, match=name):
        SamanticClient("https://127.0.0.1", certificate_file=tmp_path / name)


def test_every_request_carries_the_token_and_the_client_and_nothing_from_a_netrc_file(
    a_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    client_of(a_server, token="secret", client_id="reader-1").info()
    assert a_server.last.headers["Authorization"] == "Bearer secret"
    assert a_server.last.query["client_id"] == "reader-1"
    client_of(a_server).info()
    assert "Authorization" not in a_server.last.headers
    assert a_server.last.query["client_id"].startswith("samantic-")


@pytest.mark.parametrize(
    ("status", "detail", "said"),
    [
        (401, "Could not validate credentials", "has expired.*Could not validate credentials.*Log in again"),
        (403, 'Role "x" is required', "does not allow you this.*Role"),
    ],
)
def test_an_expired_token_asks_for_a_login_and_a_new_one_is_used(
    a_server: Server, status: int, detail: str, said: str
) -> None:
    def guarded(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        if asked.path == "/auth/token":
            answers_json({"access_token": "new", "token_type": "bearer"})(handler, asked)
        elif asked.headers.get("Authorization") == "Bearer new":
            answers_json(INFO)(handler, asked)
        else:
            answers_json({"detail": detail}, status)(handler, asked)

    a_server.behaviour = guarded
    client = client_of(a_server, token="old")
    with pytest.raises(LoginNeeded, match=said):
        client.info()
    client.log_in("reader", "pass & word")
    assert client.info().name == "Samantic"


def test_a_wrong_password_is_said_as_such_although_the_server_calls_it_an_error_of_its_own(a_server: Server) -> None:
    a_server.behaviour = answers_json({"detail": "an error of its own"}, 500)
    with pytest.raises(LoginNeeded, match="did not accept the login of 'reader'"):
        client_of(a_server).log_in("reader", "wrong")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:8000",
        "ftp://127.0.0.1",
        "http://",
        "http://a b",
        "http://a:99999",
        "http://me:word@a",
        "http://a?b",
    ],
)
def test_an_address_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(SamanticError, match="address of a server"):
        SamanticClient(url)


def test_a_download_is_whole_and_named_by_its_id(a_server: Server, tmp_path: Path) -> None:
    content = bytes(range(256)) * 2000
    a_server.behaviour = answers(content, NIFTI, Content_Disposition='attachment; filename="../../evil.NII.GZ"')
    path = client_of(a_server).download_image("ct", tmp_path / "new folder")
    assert path == tmp_path / "new folder" / "ct.nii.gz"
    assert path.read_bytes() == content
    assert a_server.last.query["image"] == "ct"


@pytest.mark.parametrize("behaviour", ["cut", "slow", "500", "no name", "no length"])
def test_a_download_that_fails_leaves_the_file_of_before_and_nothing_else(
    a_server: Server, tmp_path: Path, behaviour: str
) -> None:
    (tmp_path / "ct.nii.gz").write_bytes(b"before")
    content = bytes(1 << 20)

    def without_length(handler: BaseHTTPRequestHandler, _: Asked) -> None:
        handler.send_response(200)
        handler.send_header("Content-Disposition", 'attachment; filename="ct.nii.gz"')
        handler.end_headers()
        handler.wfile.write(content)
        handler.close_connection = True

    def stops(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        cuts(content, 1000, NIFTI, **NAMED)(handler, asked)
        handler.wfile.flush()
        a_server.ending.wait(10)

    a_server.behaviour, error = {
        "cut": (cuts(content, 700_000, NIFTI, **NAMED), ServerAway),
        "slow": (stops, ServerSlow),
        "500": (answers_json({}, 500), ServerFailed),
        "no name": (answers(content, NIFTI), BadAnswer),
        "no length": (without_length, BadAnswer),
    }[behaviour]
    with pytest.raises(error):
        client_of(a_server, read_timeout_s=0.5).download_image("ct", tmp_path)
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("ct.nii.gz", b"before")]


def test_a_download_that_is_cancelled_leaves_nothing(a_server: Server, tmp_path: Path) -> None:
    cancellation = Cancellation()

    def stops(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        cuts(bytes(1 << 20), 500_000, NIFTI, **NAMED)(handler, asked)
        handler.wfile.flush()
        cancellation.cancel()
        a_server.ending.wait(10)

    a_server.behaviour = stops
    with working_under(cancellation), pytest.raises(Cancelled):
        client_of(a_server).download_image("ct", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_while_downloading_is_said_and_leaves_nothing(a_server: Server, tmp_path: Path) -> None:
    a_server.behaviour = answers(bytes(1 << 20), NIFTI, **NAMED)
    transport = Transport(a_server.url, token=None, connect_timeout_s=2, read_timeout_s=5, certificate_file=None)
    with pytest.raises(DiskFull, match=r"no space left for the image 'ct'.*Make room"):
        download(transport, "ct", {"image": "ct"}, tmp_path, full_disk)
    assert list(tmp_path.iterdir()) == []
    assert client_of(a_server).download_image("ct", tmp_path).stat().st_size == 1 << 20


def test_an_image_larger_than_the_disk_is_not_begun(a_server: Server, tmp_path: Path) -> None:
    def huge(handler: BaseHTTPRequestHandler, _: Asked) -> None:
        handler.send_response(200)
        handler.send_header("Content-Disposition", 'attachment; filename="ct.nii.gz"')
        handler.send_header("Content-Length", str(60 << 30))
        handler.end_headers()
        a_server.ending.wait(10)

    a_server.behaviour = huge
    free = 1 << 30
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": free}))
        with pytest.raises(DiskFull, match=r"has 61440 MB, but .* has room for 1024 MB"):
            client_of(a_server).download_image("ct", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("image_id", ["", "../evil", ".hidden", "a/b", "a\\b", "x" * 129, "a..b"])
def test_an_id_that_would_lead_out_of_the_folder_is_refused_without_asking(
    a_server: Server, tmp_path: Path, image_id: str
) -> None:
    with pytest.raises(SamanticError, match="cannot be the id of an image"):
        client_of(a_server).download_image(image_id, tmp_path)
    assert a_server.asked == []


def test_requests_that_nobody_waits_for_any_more_are_bounded(a_server: Server) -> None:
    arrived = threading.Semaphore(0)

    def slow(handler: BaseHTTPRequestHandler, _: Asked) -> None:
        arrived.release()
        a_server.ending.wait(30)
        handler.close_connection = True

    a_server.behaviour = slow
    client = client_of(a_server, read_timeout_s=30)
    for _ in range(8):
        cancellation = Cancellation()
        asking = threading.Thread(target=lambda: _ends_cancelled(client, cancellation))  # noqa: B023
        asking.start()
        assert arrived.acquire(timeout=10)
        cancellation.cancel()
        asking.join(10)
    with pytest.raises(ServerSlow, match="8 earlier requests"):
        client.info()
    a_server.ending.set()


def _ends_cancelled(client: SamanticClient, cancellation: Cancellation) -> None:
    with working_under(cancellation), pytest.raises(Cancelled):
        client.info()
