"""The doorkeeper that becomes the workbench when somebody knocks, and costs nothing before."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time

import pytest
import requests

from samantic.workbench.waiting import wait


@pytest.fixture
def a_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_who_knocks_is_asked_to_come_again_in_a_second(a_port: int) -> None:
    waiting = threading.Thread(target=wait, args=(a_port,), daemon=True)
    waiting.start()
    answer = _knocked(a_port, "/")
    assert 'http-equiv="refresh"' in answer.text
    waiting.join(10)
    assert not waiting.is_alive()


def test_what_a_browser_asks_for_beside_the_page_is_no_knock(a_port: int) -> None:
    waiting = threading.Thread(target=wait, args=(a_port,), daemon=True)
    waiting.start()
    _knocked(a_port, "/favicon.ico")
    waiting.join(0.5)
    assert waiting.is_alive()
    _knocked(a_port, "/")
    waiting.join(10)


def test_it_imports_nothing_heavy_and_ends_with_who_started_it(a_port: int) -> None:
    heavy = "{'trame', 'vtk', 'slicer', 'torch', 'numpy'}"
    code = (
        f"import sys, runpy, threading; sys.argv = ['waiting', 'http://127.0.0.1:1', '{a_port}']; "
        f"threading.Timer(2.0, lambda: print(sorted({heavy} & set(sys.modules)), flush=True)).start(); "
        "runpy.run_module('samantic.workbench.waiting', run_name='__main__')"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        assert process.stdout.readline().strip() == "[]"
        process.stdin.close()
        assert process.wait(10) == 0
    finally:
        process.kill()


def _knocked(port: int, path: str) -> requests.Response:
    deadline = time.monotonic() + 10
    while True:
        try:
            return requests.get(f"http://127.0.0.1:{port}{path}", timeout=5)
        except requests.ConnectionError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
