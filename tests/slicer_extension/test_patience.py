"""How long the client waits, and that nobody has to wait with it."""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from SamanticLib.cancellation import Cancellation, working_under
from SamanticLib.client import SamanticClient
from SamanticLib.errors import (
    Cancelled,
    ServerAway,
    ServerSlow,
)
from SamanticLib.worker import Worker
from tests.slicer_extension.servers import (
    Asked,
    Server,
    answers_json,
    hangs,
    running,
)

INFO = {"name": "Samantic", "version": "1", "models": {}, "labels": []}


@pytest.fixture
def a_server() -> Iterator[Server]:
    with running(answers_json(INFO)) as server:
        yield server


def client_of(server: Server, **options: Any) -> SamanticClient:
    return SamanticClient(server.url, **{"connect_timeout_s": 2, "read_timeout_s": 10, **options})


def works_again(client: SamanticClient, server: Server) -> None:
    server.behaviour = answers_json(INFO)
    assert client.info().name == "Samantic"


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


def test_an_impatient_person_fills_the_server_with_four_requests_and_no_more(a_server: Server) -> None:
    arrived, let_go = threading.Semaphore(0), threading.Event()

    def slow(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        arrived.release()
        let_go.wait(30)
        answers_json(INFO)(handler, asked)

    a_server.behaviour = slow
    client, delivered = client_of(a_server, read_timeout_s=30), queue.Queue[Any]()
    worker = Worker(lambda deliver: deliver())
    for number in range(4):
        worker.submit("click", client.info, delivered.put, delivered.put)
        assert arrived.acquire(timeout=10), number
    for _ in range(20):
        worker.submit("click", client.info, delivered.put, delivered.put)
    assert not arrived.acquire(timeout=0.3)
    let_go.set()
    assert delivered.get(timeout=10).name == "Samantic"
    assert len(a_server.asked) == 5 and delivered.empty()
    worker.close()


def test_a_server_that_never_lets_go_is_not_asked_for_ever(a_server: Server) -> None:
    def drips(handler: BaseHTTPRequestHandler, _: Asked) -> None:
        while not a_server.ending.wait(0.05):
            handler.wfile.write(b"H")
            handler.wfile.flush()

    a_server.behaviour = drips
    client = client_of(a_server, connect_timeout_s=0.2, read_timeout_s=0.3)
    for _ in range(4):
        with pytest.raises(ServerSlow, match="to answer"):
            client.info()
    with pytest.raises(ServerSlow, match=r"4 earlier requests to .* still hang"):
        client.info()
    assert len(a_server.asked) == 4
