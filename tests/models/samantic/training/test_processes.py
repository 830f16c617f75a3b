"""Processes of their own: killed, and several of one run."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

TOY = Path(__file__).with_name("toy.py")

PATIENCE = 280
"""Seconds; on a machine without other work everything here takes a few."""


def _start(run: Path, steps: int, pause: float = 0.0, **environment: str) -> subprocess.Popen[str]:
    plain = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1", **environment}
    command = [sys.executable, str(TOY), str(run), str(steps), str(pause)]
    return subprocess.Popen(command, env=plain, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _end(process: subprocess.Popen[str], code: int = 0) -> str:
    try:
        output, _ = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    assert process.returncode == code, output
    return output


def _start_two(run: Path, steps: int, pause: float = 0.0) -> list[subprocess.Popen[str]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    together = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    return [_start(run, steps, pause, RANK=str(rank), LOCAL_RANK=str(rank), **together) for rank in range(2)]


def _wait_for_lines(path: Path, count: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while not path.exists() or path.read_text().count("\n") <= count:
        assert time.monotonic() < deadline, "the run did not get going"
        time.sleep(0.02)


def _assert_equal(first: Path, second: Path) -> None:
    left, right = torch.load(first), torch.load(second)
    assert left.keys() == right.keys()
    for name, tensor in left.items():
        torch.testing.assert_close(tensor, right[name], atol=1e-6, rtol=0, msg=name)


def _steps(run: Path) -> list[int]:
    return [int(line.split(",")[0]) for line in (run / "metrics.csv").read_text().splitlines()[1:]]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM that a process can catch")
def test_a_run_ended_by_sigterm_resumes_to_the_weights_of_an_uninterrupted_one(tmp_path: Path):
    whole = _start(tmp_path / "whole", 30)
    cut = _start(tmp_path / "cut", 30, 0.1)
    _wait_for_lines(tmp_path / "cut" / "metrics.csv", 3)
    cut.send_signal(signal.SIGTERM)
    _end(cut, code=3)
    _end(whole)
    step = torch.load(tmp_path / "cut" / "state.pt")["step"]
    assert 3 <= step < 30
    assert f"Resuming after step {step} of 30." in _end(_start(tmp_path / "cut", 30))
    _assert_equal(tmp_path / "whole" / "network-0.pt", tmp_path / "cut" / "network-0.pt")
    assert _steps(tmp_path / "cut") == list(range(30))


def test_two_processes_end_with_the_same_weights_though_one_had_nothing_to_learn_from(tmp_path: Path):
    for process in _start_two(tmp_path, 8):
        _end(process)
    _assert_equal(tmp_path / "network-0.pt", tmp_path / "network-1.pt")
    assert _steps(tmp_path) == list(range(8))
    single = _start(tmp_path / "single", 8)
    _end(single)
    alone = torch.load(tmp_path / "single" / "network-0.pt")["4.weight"]
    assert not torch.allclose(alone, torch.load(tmp_path / "network-0.pt")["4.weight"], atol=1e-4)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM that a process can catch")
def test_two_processes_stop_after_the_same_step_when_one_is_asked_to(tmp_path: Path):
    first, second = _start_two(tmp_path, 200, 0.05)
    _wait_for_lines(tmp_path / "metrics.csv", 3)
    second.send_signal(signal.SIGTERM)
    _end(first, code=3)
    _end(second, code=3)
    assert _steps(tmp_path)[-1] == torch.load(tmp_path / "state.pt")["step"] - 1
