"""A process that was tied to its parent is gone when its parent is killed."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import psutil
import pytest

from samantic.app.lib.trainers import parent
from samantic.app.lib.trainers.parent import VARIABLE, is_task_process, tie_to_server

CHILD = """
import os, sys, time
sys.platform = sys.argv[2]
from samantic.app.lib.trainers.parent import die_with
die_with(int(sys.argv[1]))
print(os.getpid(), flush=True)
time.sleep(60)
"""

SERVER = f"""
import os, subprocess, sys
subprocess.run([sys.executable, "-c", {CHILD!r}, str(os.getpid()), sys.argv[1]])
"""


@pytest.mark.skipif(os.name != "posix", reason="the signal that nobody can catch is a Unix one")
@pytest.mark.parametrize("platform", ["linux", "another system"])
def test_a_task_dies_with_its_server(platform: str):
    if platform == "linux" and sys.platform != "linux":
        pytest.skip("only Linux has this signal")
    with subprocess.Popen([sys.executable, "-c", SERVER, platform], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        task = psutil.Process(int(server.stdout.readline()))
        server.kill()
        _, alive = psutil.wait_procs([task], timeout=30)
    assert not alive


def test_a_task_whose_server_died_before_it_looked_ends_at_once():
    with subprocess.Popen([sys.executable, "-c", CHILD, "1234567", sys.platform], stdout=subprocess.PIPE) as task:
        began = time.monotonic()
        output, _ = task.communicate(timeout=60)
    assert task.returncode == 1 and not output
    assert time.monotonic() - began < 60


def test_a_server_leaves_its_number_for_its_tasks_and_ties_itself_to_nobody(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(VARIABLE, "1234567")
    monkeypatch.setattr(parent, "die_with", lambda _: pytest.fail("a server was tied to somebody"))
    assert not is_task_process()
    tie_to_server()
    assert os.environ[VARIABLE] == str(os.getpid())


def test_a_task_is_tied_to_the_server_that_left_its_number(monkeypatch: pytest.MonkeyPatch):
    tied = []
    monkeypatch.setattr(parent, "die_with", tied.append)
    monkeypatch.setattr(parent, "is_task_process", lambda: True)
    monkeypatch.delenv(VARIABLE, raising=False)
    tie_to_server()
    assert not tied, "a task that a person started by hand has no server"
    monkeypatch.setenv(VARIABLE, "4321")
    tie_to_server()
    assert tied == [4321]
