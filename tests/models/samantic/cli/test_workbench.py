from __future__ import annotations

import socket
import time

import pytest
import requests

from samantic.cli import workbench


def test_a_port_that_is_taken_is_one_line(run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, output = run("workbench", "--port", taken.getsockname()[1])
    assert code == 2
    assert "is taken; choose another one with --port" in output
    assert output.strip().count("\n") == 0


def test_without_trame_slicer_it_says_what_to_install(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbench, "is_installed", lambda: False)
    code, output = run("workbench")
    assert code == 2
    assert "pip install 'samantic[workbench]'" in output
    with workbench.workbench_on_demand("http://127.0.0.1:8000") as address:
        assert address is None


def test_on_demand_it_holds_an_address_and_lets_it_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbench, "is_installed", lambda: True)
    with workbench.workbench_on_demand("http://127.0.0.1:8000") as address:
        assert address is not None
        port = int(address.rsplit(":", 1)[1])
        for _ in range(100):
            try:
                # Not the page itself, which would start the workbench.
                assert requests.get(f"{address}/favicon.ico", timeout=5).ok
                break
            except requests.ConnectionError:
                time.sleep(0.1)
        else:
            pytest.fail("nobody holds the address")
    assert workbench.is_free(port)
