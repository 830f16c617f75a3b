"""The client against servers that really misbehave: away, slow, broken, lying, untrusted; and when they are back."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from SamanticLib.client import SamanticClient
from SamanticLib.errors import (
    BadAnswer,
    RequestRefused,
    SamanticError,
    ServerAway,
    ServerFailed,
)
from tests.slicer_extension.servers import (
    Asked,
    Server,
    answers,
    answers_json,
    cuts,
    hangs_up,
    running,
)

INFO = {"name": "Samantic", "version": "1", "models": {}, "labels": []}
NIFTI = "application/octet-stream"
NAMED = {"Content_Disposition": 'attachment; filename="ct.nii.gz"'}


@pytest.fixture
def a_server() -> Iterator[Server]:
    with running(answers_json(INFO)) as server:
        yield server


def client_of(server: Server, **options: Any) -> SamanticClient:
    return SamanticClient(server.url, **{"connect_timeout_s": 2, "read_timeout_s": 10, **options})


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


def test_what_is_asked_again_on_a_new_connection_is_sent_from_its_first_byte(a_server: Server, tmp_path: Path) -> None:
    (tmp_path / "mine.nrrd").write_bytes(bytes(range(256)) * 400)
    client = client_of(a_server)
    client.info()

    def once(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        a_server.behaviour = answers_json({"image": "ct", "label": "ct"})
        hangs_up(handler, asked)

    a_server.behaviour = once
    client.submit_label("ct", tmp_path / "mine.nrrd", {"liver": 1})
    first, second = a_server.asked[1:]
    assert first.body == second.body and (tmp_path / "mine.nrrd").read_bytes() in second.body


def test_a_proxy_is_not_asked_for_this_very_machine(a_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{unused_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert client_of(a_server).info().name == "Samantic"


def test_a_proxy_that_is_away_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{unused_port()}")
    with pytest.raises(ServerAway, match=r"proxy on the way to http://server\.example"):
        SamanticClient("http://server.example").info()
