"""A server is killed while it trains and while it publishes; labels and the last good model must be there afterwards.

Two kills hit servers that were started from nothing, as a person starts them, with the real training in a process that
MONAI Label started. Eighteen more hit the complete application, forked from a process that has done the imports
already; its training process is forked as well, and there the round is a stand-in of a few tenths of a second, so that
the kills fall all over the training and all over the publication.
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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import psutil
import pytest
import requests

from samantic.segsam.checkpoint import file_hash
from samantic.training.model_store import ModelStore

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]  # a minute of work; on a busy machine many

KILLS = 18
MOMENTS = ("training", "publishing", "soon after", "publishing", "training", "published")
SHAPE, AFFINE = (64, 64, 24), np.diag([-1.5, -1.5, 3.0, 1.0])
PATIENCE = 240

NURSERY = """
import json, os, sys, time, types
from pathlib import Path
from samantic.app.launch import home_folder, server_command
studies, port = Path(sys.argv[1]), int(sys.argv[2])
command = server_command(studies, "127.0.0.1", port, {"models": "segsam"}, home_folder())
Path(command.environment["TMPDIR"]).mkdir(parents=True, exist_ok=True)
os.environ.update(command.environment)
from monailabel.main import Main
stock = Main()
arguments = stock.args_parser().parse_args(list(command.arguments))
stock.start_server_validate_args(arguments)
stock.start_server_init_settings(arguments)
import torch, uvicorn, samantic.app.asgi
import monailabel.interfaces.utils.app as task_module
import monailabel.utils.async_tasks.utils as background
from samantic.app.lib.configs.segsam import SegSamConfig
from samantic.app.lib.trainers.parent import TASK_MODULE, VARIABLE
from samantic.app.lib.trainers.segsam import SegSamTrainer
from samantic.segsam.checkpoint import load_network
from samantic.segsam.training.retraining import EpochReport, Retrained, Scores

def short_round(start, images, options, **more):
    scores = Scores(0.5, {"liver": 0.5})
    network = load_network(start)
    for epoch in range(1, 7):
        time.sleep(0.05)
        more["on_epoch"](EpochReport(epoch, 6, 0.1, scores, scores, True, 0.0))
    network.mask_decoder.mask_tokens.weight.data += 0.001
    ids = tuple(image.image_id for image in images)
    same = {"before": scores.to_dict(), "after": scores.to_dict()}
    told = {"held_out": (), "learned_from": ids, "seconds": 0.1, "calibration": None, "manifest": None}
    return Retrained(network=network, **same, **told)

SegSamConfig.trainer = lambda self: SegSamTrainer(self._store, self._start, lambda: None, short_round)

class SpareProcess:
    '''A child that was forked before there were threads, and becomes a task when it is told to.'''
    def __init__(self):
        asking, self._asked = os.pipe()
        told, telling = os.pipe()
        self.pid, self.returncode = os.fork(), None
        if self.pid == 0:
            os.close(self._asked)
            os.close(told)
            with os.fdopen(asking) as stream:
                line = stream.readline()
            if not line:
                os._exit(0)
            arguments, number = json.loads(line)
            os.dup2(telling, 1)
            os.dup2(telling, 2)
            os.environ[VARIABLE] = number
            sys.modules["__main__"].__spec__ = types.SimpleNamespace(name=TASK_MODULE)
            sys.argv = ["task", *arguments]
            code = 1
            try:
                task_module.run_main()
                code = 0
            finally:
                os._exit(code)
        os.close(asking)
        os.close(telling)
        self.stdout = os.fdopen(told)
    def __call__(self, command, **_):
        os.write(self._asked, (json.dumps([command[3:], os.environ[VARIABLE]]) + "\\n").encode())
        return self
    def poll(self):
        if self.returncode is None and os.waitpid(self.pid, os.WNOHANG)[0]:
            self.returncode = 0
        return self.returncode

print("ready", flush=True)
for _ in sys.stdin:
    child = os.fork()
    if child == 0:
        os.setsid()
        os.close(0)
        background.subprocess = types.SimpleNamespace(Popen=SpareProcess(), STDOUT=-2, PIPE=-1)
        uvicorn.run(samantic.app.asgi.app, host="127.0.0.1", port=port, log_level="warning")
        os._exit(0)
    print(child, flush=True)
    os.waitpid(child, 0)
    print("gone", flush=True)
"""


@dataclass
class Record:
    """The label that was acknowledged last and the one that was sent last; the versions; how many kills hit one."""

    acknowledged: int = 0
    sent: int = 0
    versions: int = 0
    hit_publishing: int = 0


def label_file(version: int) -> bytes:
    """A label whose every voxel follows from its version: an organ, and noise far away from it."""
    voxels = np.zeros(SHAPE, np.uint8)
    voxels[15:30, 24:37, 6:18] = 1
    voxels[:, :8] = np.random.default_rng(version).integers(0, 2, (64, 8, 24), np.uint8)
    file = io.BytesIO()
    nibabel.Nifti1Image(voxels, AFFINE).to_file_map({"image": nibabel.FileHolder(fileobj=file)})
    return file.getvalue()


def save_next(url: str, record: Record) -> None:
    record.sent += 1
    answer = requests.put(
        f"{url}/datastore/label",
        params={"image": "ct", "tag": "final"},
        data={"params": json.dumps({"version": record.sent, "label_info": [{"name": "liver", "idx": 1}]})},
        files={"label": ("label.nii", label_file(record.sent))},
        timeout=PATIENCE,
    )
    assert answer.status_code == 200, answer.text
    record.acknowledged = record.sent


def save_until_cut_off(url: str, record: Record) -> None:
    try:
        while True:
            save_next(url, record)
            time.sleep(0.05)
    except requests.RequestException:
        return


def check_that_all_is_well(url: str, store: ModelStore, record: Record) -> None:
    where = {"label": "ct", "tag": "final"}
    if record.sent:
        notes = requests.get(f"{url}/datastore/label/info", params=where, timeout=PATIENCE).json()
        assert record.acknowledged <= notes["version"] <= record.sent, "an acknowledged label is gone"
        label = requests.get(f"{url}/datastore/label", params=where, timeout=PATIENCE)
        assert label.content == label_file(notes["version"])
        record.acknowledged = record.sent = notes["version"]
    click = {"foreground": [[22, 30, 12]], "slice": 12}
    answer = requests.post(
        f"{url}/infer/segsam",
        params={"image": "ct", "output": "json"},
        data={"params": json.dumps(click)},
        timeout=PATIENCE,
    )
    assert answer.status_code == 200, answer.text
    served = answer.json()["weights_hash"]
    current, history = store.current(), store.history()
    assert len(history) >= record.versions, "a published version is gone"
    record.versions = len(history)
    for model in history:
        assert file_hash(model.path) == model.notes["sha256"], f"version {model.version} is not whole"
    if current is not None:
        assert served == current.notes["sha256"]
    left = [path.name for path in store.folder.glob(".*")] if store.folder.exists() else []
    assert not left, f"left behind by a publication: {left}"


def start_training(url: str, **params: Any) -> None:
    answer = requests.post(f"{url}/train/segsam", json=params, timeout=PATIENCE)
    assert answer.status_code == 200, answer.text


def wait_until(holds: Callable[[], Any], what: str, every: float = 0.002) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(every)


def is_publishing(store: ModelStore) -> bool:
    return any(store.folder.glob(".samantic-tmp-0[0-9][0-9][0-9]"))


def kill(server: psutil.Process, store: ModelStore, record: Record, reap: Callable[[], None]) -> None:
    """SIGKILL for the server alone; whatever it had started must be gone soon after."""
    started = server.children(recursive=True)
    server.send_signal(signal.SIGKILL)
    record.hit_publishing += is_publishing(store)
    reap()
    wait_until(lambda: not any(map(is_alive, started)), "the training died with its server", every=0.02)


def is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@contextmanager
def nursery(studies: Path, home: Path, port: int) -> Iterator[tuple[Callable[[], psutil.Process], Callable[[], None]]]:
    """Yields what starts a server and what waits for the end of a killed one."""
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

    def start() -> psutil.Process:
        process.stdin.write("start\n")
        process.stdin.flush()
        return psutil.Process(int(said(str.isdigit)))

    try:
        said(lambda line: line == "ready")
        yield start, lambda: void(said(lambda line: line == "gone"))
    finally:
        process.stdin.close()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def void(_: str) -> None:
    """What was said is not needed."""


def wait_for(url: str) -> None:
    def answers() -> bool:
        try:
            return requests.get(f"{url}/datastore/", timeout=PATIENCE).ok
        except requests.ConnectionError:
            return False

    wait_until(answers, "the server started again after a kill", every=0.02)


def wait_for_moment(moment: str, store: ModelStore, dice: random.Random) -> None:
    """Return when the server is to be killed."""
    versions = len(store.history())
    if moment == "training":
        time.sleep(dice.uniform(0, 1.5))
    elif moment == "published":
        wait_until(lambda: len(store.history()) > versions, "a version is there")
        time.sleep(dice.uniform(0, 0.02))
    else:
        wait_until(lambda: is_publishing(store), "something is published")
        time.sleep(dice.uniform(0, 0.05) if moment == "publishing" else dice.uniform(0, 0.6))


@pytest.mark.skipif(sys.platform != "linux", reason="the server is forked, and the kernel ends its training with it")
def test_kills_at_random_moments_of_training_and_publishing_leave_labels_and_a_good_model(
    tmp_path: Path, write_studies: Callable[[Path], Path], free_port: Callable[[], int]
) -> None:
    studies, port, record, dice = write_studies(tmp_path / "studies"), free_port(), Record(), random.Random(11)
    url, store = f"http://127.0.0.1:{port}", ModelStore(tmp_path / "home" / "published" / "segsam")
    with nursery(studies, tmp_path / "home", port) as (start, reap):
        for round_ in range(KILLS):
            server = start()
            try:
                wait_for(url)
                check_that_all_is_well(url, store, record)
                save_next(url, record)
                start_training(url)
                writer = threading.Thread(target=save_until_cut_off, args=(url, record))
                writer.start()
                wait_for_moment(MOMENTS[round_ % len(MOMENTS)], store, dice)
            finally:
                kill(server, store, record, reap)
            writer.join(timeout=PATIENCE)
            assert not writer.is_alive()
        server = start()
        try:
            wait_for(url)
            check_that_all_is_well(url, store, record)
            start_training(url)
            wait_until(lambda: len(store.history()) > record.versions, "an uninterrupted training published", 0.05)
        finally:
            kill(server, store, record, reap)
    assert record.hit_publishing >= KILLS // 6, "hardly anything was being published when it was killed"
    assert record.versions >= KILLS // 6, "hardly anything was published before a kill"


@pytest.mark.skipif(os.name != "posix", reason="the signal that nobody can catch is a Unix one")
def test_kills_of_servers_started_from_nothing_end_their_trainings_and_keep_labels_and_model(
    start_server: Callable[..., Any],
    tmp_path: Path,
    write_studies: Callable[[Path], Path],
    free_port: Callable[[], int],
) -> None:
    studies, record = write_studies(tmp_path / "studies"), Record()
    options = {"studies": studies, "home": tmp_path / "home", "port": free_port()}
    store = ModelStore(tmp_path / "home" / "published" / "segsam")
    short = {"epochs": 2, "samples_per_epoch": 8, "slices_per_volume": 2, "naming_steps": 0, "rehearsal_share": 0}

    def start_and_kill(until: Callable[[Any], bool]) -> None:
        server = start_server(**options)
        check_that_all_is_well(server.url, store, record)
        save_next(server.url, record)
        start_training(server.url, **short)
        wait_until(lambda: until(server), "the moment for the kill came")
        kill(psutil.Process(server.process.pid), store, record, lambda: void(str(server.process.wait())))

    start_and_kill(lambda server: '{"images"' in server.logged())
    start_and_kill(lambda _: is_publishing(store))
    server = start_server(**options)
    check_that_all_is_well(server.url, store, record)
    server.kill()
