"""Who the server is, and who asks it: certificates, tokens, passwords."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from SamanticLib.client import SamanticClient
from SamanticLib.errors import (
    CertificateWrong,
    LoginNeeded,
    SamanticError,
    ServerAway,
)
from tests.slicer_extension.servers import (
    Asked,
    Certificate,
    Server,
    answers_json,
    running,
    self_signed,
)

INFO = {"name": "Samantic", "version": "1", "models": {}, "labels": []}


@pytest.fixture
def a_server() -> Iterator[Server]:
    with running(answers_json(INFO)) as server:
        yield server


def client_of(server: Server, **options: Any) -> SamanticClient:
    return SamanticClient(server.url, **{"connect_timeout_s": 2, "read_timeout_s": 10, **options})


@pytest.fixture(scope="module")
def a_certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return self_signed(tmp_path_factory.mktemp("certificate"))


def test_a_wrong_certificate_is_refused_before_anything_is_sent(a_certificate: Certificate) -> None:
    with running(answers_json(INFO), certificate=a_certificate) as server:
        with pytest.raises(CertificateWrong, match=r"not trusted here: self-signed certificate.*do not go on"):
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
