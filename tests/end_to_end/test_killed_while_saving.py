"""A server is killed while labels are being saved; whatever it had acknowledged must be there, whole, after a restart.

Fifty kills hit the complete application (our ASGI module, the real app with its model, real HTTP, real SIGKILL); to be
able to restart it fifty times in a minute or two, each of these servers is forked from a process that has done the
imports already. Three more kills hit servers that were started from nothing, as a person starts them.
"""

from __future__ import annotations

import io
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import requests

KILLS, FULL_KILLS = 50, 3
WRITERS = 3
IMAGES = ("ct", "series", "lesion")
SHAPES = {"ct": (64, 64, 24), "series": (64, 64, 12), "lesion": (64, 48, 1)}
SPACINGS = {"ct": (-1.5, -1.5, 3), "series": (-1.5, -1.5, 3), "lesion": (-1, -1, 1)}

NURSERY = """
import os, sys
from samantic.app.launch import home_folder, server_command
from pathlib import Path
studies, port = Path(sys.argv[1]), int(sys.argv[2])
command = server_command(studies, "127.0.0.1", port, {"models": "segsam"}, home_folder())
Path(command.environment["TMPDIR"]).mkdir(parents=True, exist_ok=True)
os.environ.update(command.environment)
from monailabel.main import Main
stock = Main()
arguments = stock.args_parser().parse_args(list(command.arguments))
stock.start_server_validate_args(arguments)
stock.start_server_init_settings(arguments)
import uvicorn, samantic.app.asgi, samantic.app.lib.configs.segsam
print("ready", flush=True)
for _ in sys.stdin:
    child = os.fork()
    if child == 0:
        os.setsid()
        os.close(0)
        uvicorn.run(samantic.app.asgi.app, host="127.0.0.1", port=port, log_level="warning")
        os._exit(0)
    print(child, flush=True)
    os.waitpid(child, 0)
    print("gone", flush=True)
"""


@dataclass
class Written:
    """What one writer knows of one label: the version last acknowledged, and the one last sent."""

    acknowledged: int = 0
    sent: int = 0


@dataclass
class Record:
    """Everything that was sent; version 0 is no label."""

    labels: dict[tuple[str, str], Written] = field(default_factory=dict)
    acknowledged: int = 0
    cut_off: int = 0


def label_file(image: str, version: int) -> bytes:
    """A label whose every byte follows from its version, of some tens of kilobytes."""
    voxels = np.random.default_rng(version).integers(0, 7, SHAPES[image], np.uint8)
    file = io.BytesIO()
    nibabel.Nifti1Image(voxels, np.diag([*SPACINGS[image], 1.0])).to_file_map(
        {"image": nibabel.FileHolder(fileobj=file)}
    )
    return file.getvalue()


def save(url: str, image: str, tag: str, version: int) -> bool:
    answer = requests.put(
        f"{url}/datastore/label",
        params={"image": image, "tag": tag},
        data={"params": json.dumps({"version": version, "label_info": [{"name": f"class {version}", "idx": 1}]})},
        files={"label": ("label.nii", label_file(image, version))},
        timeout=60,
    )
    assert answer.status_code == 200, answer.text
    return True


def write_until_cut_off(url: str, writer: int, record: Record, seed: int) -> None:
    dice = random.Random(seed)
    while True:
        image, tag = IMAGES[writer % len(IMAGES)], dice.choice(["final", "original", f"mine-{writer}"])
        written = record.labels.setdefault((image, tag), Written())
        written.sent += 1
        try:
            save(url, image, tag, written.sent)
        except requests.RequestException:
            record.cut_off += 1
            return
        written.acknowledged = written.sent
        record.acknowledged += 1


def save_until_killed(url: str, record: Record, kill: Callable[[], None], seed: int) -> None:
    writers = [
        threading.Thread(target=write_until_cut_off, args=(url, writer, record, seed * 10 + writer))
        for writer in range(WRITERS)
    ]
    for thread in writers:
        thread.start()
    time.sleep(random.Random(seed).uniform(0.02, 0.5))
    kill()
    for thread in writers:
        thread.join(timeout=90)
        assert not thread.is_alive()


def check_that_nothing_is_lost(url: str, studies: Path, record: Record) -> None:
    listed = requests.get(f"{url}/datastore/?output=all", timeout=60).json()["objects"]
    assert set(listed) == {"ct", "series", "lesion", "scan"}
    for (image, tag), written in record.labels.items():
        allowed = range(written.acknowledged, written.sent + 1)
        where = {"label": image, "tag": tag}
        answer = requests.get(f"{url}/datastore/label", params=where, timeout=60)
        if answer.status_code == 404:
            assert 0 in allowed, f"the acknowledged label {where} is gone"
            continue
        notes = requests.get(f"{url}/datastore/label/info", params=where, timeout=60).json()
        assert notes["version"] in allowed, f"{where} has the notes of {notes['version']}, not of {allowed}"
        assert answer.content == label_file(image, notes["version"]), f"{where} is not whole, or not that of its notes"
        assert notes["label_info"] == [{"name": f"class {notes['version']}", "idx": 1}]
        # What was cut off and is there all the same counts from now on.
        written.acknowledged = written.sent = notes["version"]
    left = [path.name for path in studies.rglob(".*") if path.is_file() and path.name not in ("lock",)]
    assert not left, f"left behind: {left}"


@contextmanager
def nursery(studies: Path, home: Path, port: int) -> Iterator[Callable[[], Callable[[], None]]]:
    """Yields a function that starts a server and returns what kills it."""
    process = subprocess.Popen(
        [sys.executable, "-c", NURSERY, str(studies), str(port)],
        env={**os.environ, "SAMANTIC_HOME": str(home), "OMP_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert process.stdin and process.stdout

    def said(expected: Callable[[str], bool]) -> str:
        for line in process.stdout:
            if expected(line.strip()):
                return line.strip()
        pytest.fail("the process that forks the servers is gone")

    def start() -> Callable[[], None]:
        process.stdin.write("start\n")
        process.stdin.flush()
        child = int(said(str.isdigit))

        def kill() -> None:
            os.killpg(child, signal.SIGKILL)
            said(lambda line: line == "gone")

        return kill

    try:
        said(lambda line: line == "ready")
        yield start
    finally:
        process.stdin.close()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_for(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if requests.get(f"{url}/info/", timeout=30).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.02)
    pytest.fail("the server did not start again after a kill")


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork, so fifty restarts would take ten minutes")
def test_fifty_kills_at_random_moments_lose_no_acknowledged_label(
    tmp_path: Path, write_studies: Callable[[Path], Path], free_port: Callable[[], int]
) -> None:
    studies, port, record = write_studies(tmp_path / "studies"), free_port(), Record()
    url = f"http://127.0.0.1:{port}"
    with nursery(studies, tmp_path / "home", port) as start:
        for round_ in range(KILLS):
            kill = start()
            try:
                wait_for(url)
                check_that_nothing_is_lost(url, studies, record)
            except BaseException:
                kill()
                raise
            save_until_killed(url, record, kill, seed=round_)
        kill = start()
        try:
            wait_for(url)
            check_that_nothing_is_lost(url, studies, record)
        finally:
            kill()
    assert record.acknowledged > KILLS and record.cut_off > KILLS, "hardly anything was being saved when it was killed"


@pytest.mark.slow
def test_kills_of_a_server_started_from_nothing_lose_no_acknowledged_label(
    start_server: Callable[..., Any],
    tmp_path: Path,
    write_studies: Callable[[Path], Path],
    free_port: Callable[[], int],
) -> None:
    studies, record = write_studies(tmp_path / "studies"), Record()
    options = {"studies": studies, "home": tmp_path / "home", "port": free_port()}
    for round_ in range(FULL_KILLS):
        server = start_server(**options)
        check_that_nothing_is_lost(server.url, studies, record)
        assert not list((tmp_path / "home" / "tmp").rglob("*.nii")), "a killed server's uploads were not removed"
        save_until_killed(server.url, record, server.kill, seed=1000 + round_)
    server = start_server(**options)
    check_that_nothing_is_lost(server.url, studies, record)
    server.kill()
    assert record.acknowledged > FULL_KILLS
