"""A real HTTP(S) server of this machine that answers, or misbehaves, just as a test tells it to."""

from __future__ import annotations

import datetime
import gzip
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from requests_toolbelt import MultipartEncoder


@dataclass(frozen=True)
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def params(self) -> dict[str, Any]:
        """The JSON of the form's part `params`."""
        text = self.body.split(b'name="params"\r\n\r\n', 1)[1].split(b"\r\n--", 1)[0]
        return dict(json.loads(text))


Behaviour = Callable[[BaseHTTPRequestHandler, Asked], None]


@dataclass
class Server:
    """Where it listens, how it behaves (may be changed at any time), and what it was asked."""

    url: str
    behaviour: Behaviour
    asked: list[Asked] = field(default_factory=list)
    ending: threading.Event = field(default_factory=threading.Event)

    @property
    def last(self) -> Asked:
        return self.asked[-1]


@contextmanager
def running(behaviour: Behaviour, port: int = 0, certificate: Certificate | None = None) -> Iterator[Server]:
    """A server for the length of the block."""
    server = Server("", behaviour)
    connections: list[socket.socket] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            connections.append(self.request)
            super().setup()

        def handle_one_request(self) -> None:
            with suppress(ConnectionError, ssl.SSLError):
                super().handle_one_request()

        def log_message(self, *_: Any) -> None:
            """Tests are silent."""

        def _answer(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked = Asked(self.command, parts.path, query, dict(self.headers), body)
            server.asked.append(asked)
            server.behaviour(self, asked)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _answer  # noqa: N815

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_: Any) -> None:
            """A client that hangs up is what tests are about."""

    http = Quiet(("127.0.0.1", port), Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.file, certificate.key_file)
        http.socket = context.wrap_socket(http.socket, server_side=True, do_handshake_on_connect=False)
    server.url = f"{'https' if certificate else 'http'}://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.ending.set()
        http.shutdown()
        http.server_close()
        for connection in connections:  # as when the process ends
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def answers(content: bytes, kind: str = "application/json", status: int = 200, **headers: str) -> Behaviour:
    """Answers every request with the same content."""

    def behave(handler: BaseHTTPRequestHandler, _: Asked) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(content)

    return behave


def answers_json(value: Any, status: int = 200) -> Behaviour:
    return answers(json.dumps(value).encode(), status=status)


def answers_mask(result: Any, file: bytes) -> Behaviour:
    """Answers as `POST /infer/…` does, with the encoder that the real server uses."""
    encoder = MultipartEncoder(
        {
            "params": (None, json.dumps(result), "application/json"),
            "image": ("mask.nrrd", file, "application/octet-stream"),
        }
    )
    return answers(encoder.to_string(), encoder.content_type)


def cuts(content: bytes, after: int, kind: str = "application/json", **headers: str) -> Behaviour:
    """Announces all of the content, sends the first bytes of it, and hangs up."""

    def behave(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        handler.wfile = _Short(handler.wfile, after)  # type: ignore[assignment]
        answers(content, kind, **headers)(handler, asked)
        handler.close_connection = True

    return behave


def hangs(server_ending: threading.Event) -> Behaviour:
    """Says nothing until the server ends."""

    def behave(handler: BaseHTTPRequestHandler, _: Asked) -> None:
        server_ending.wait(60)
        handler.close_connection = True

    return behave


def hangs_up(handler: BaseHTTPRequestHandler, _: Asked) -> None:
    """Closes the connection without a word."""
    handler.close_connection = True


def nrrd(values: np.ndarray, sizes: str | None = None, kind: str | None = None, encoding: str = "gzip") -> bytes:
    """An NRRD file of values (i, j, k); its header may say other sizes and another type than are true."""
    names = {"uint8": "unsigned char", "uint16": "unsigned short", "float32": "float"}
    lines = [
        "NRRD0004",
        f"type: {kind or names.get(values.dtype.name, values.dtype.name)}",
        f"dimension: {values.ndim}",
        f"sizes: {sizes or ' '.join(map(str, values.shape))}",
        "endian: little",
        f"encoding: {encoding}",
    ]
    data = values.tobytes(order="F")
    return "\n".join([*lines, "", ""]).encode() + (gzip.compress(data) if encoding == "gzip" else data)


@dataclass(frozen=True)
class Certificate:
    """A certificate for 127.0.0.1 that nobody has signed but itself, and its key."""

    file: Path
    key_file: Path


def self_signed(folder: Path) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .sign(key, hashes.SHA256())
    )
    certificate = Certificate(folder / "certificate.pem", folder / "key.pem")
    certificate.file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    certificate.key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate


class _Short:
    """Writes the first `count` bytes behind the headers and drops the rest."""

    def __init__(self, file: Any, count: int) -> None:
        self._file = file
        self._left: int | None = None
        self._count = count

    def write(self, data: bytes) -> int:
        if self._left is None:  # the headers come in one piece
            self._left = self._count
            return int(self._file.write(data))
        self._file.write(data[: self._left])
        self._left = max(self._left - len(data), 0)
        return len(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)
