"""Versions of published weights: whole or not there, and always one that can be served."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from samantic.training.model_store import ModelStore, ModelStoreError, StoreBusyError

HOLDS_THE_LOCK = """
import sys, time
from pathlib import Path
from samantic.training.model_store import ModelStore
with ModelStore(Path(sys.argv[1])).alone():
    print("alone", flush=True)
    time.sleep(60)
"""

PUBLISHES_FOREVER = """
import os, sys
from pathlib import Path
from samantic.training.model_store import ModelStore
store = ModelStore(Path(sys.argv[1]))
print("ready", flush=True)
number = len(store.history())
while True:
    number += 1
    content = bytes([number % 251]) * 300_000
    model = store.publish(lambda path: path.write_bytes(content), {"number": number})
    print(model.version, flush=True)
"""


@pytest.fixture
def a_store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "published")


def _publish(store: ModelStore, content: str, **notes: object) -> str:
    return store.publish(lambda path: path.write_text(content), notes).version


def test_a_store_without_a_version_serves_the_bundled_weights_and_makes_no_files(a_store: ModelStore):
    assert a_store.current() is None
    assert a_store.history() == ()
    assert a_store.stamp() is None
    a_store.clean_up()
    assert not a_store.folder.exists()


def test_what_is_published_is_served_and_says_where_it_came_from(a_store: ModelStore):
    _publish(a_store, "one", images=["a", "b"])
    second = a_store.publish(lambda path: path.write_text("two"), {"images": ["c"]})
    assert a_store.current() == second == a_store.history()[1]
    assert second.path.read_text() == "two"
    assert second.notes["images"] == ["c"]
    assert second.notes["previous"] == "0001"
    assert second.notes["sha256"] == "3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3"
    assert [model.version for model in ModelStore(a_store.folder).history()] == ["0001", "0002"]


def test_every_change_changes_the_stamp_and_nothing_else_does(a_store: ModelStore):
    stamps = [a_store.stamp()]
    for change in (
        lambda: _publish(a_store, "one"),
        lambda: _publish(a_store, "two"),
        lambda: a_store.rollback("0001"),
    ):
        change()
        assert a_store.stamp() not in stamps
        stamps.append(a_store.stamp())
        a_store.history()
        a_store.clean_up()
        assert a_store.stamp() == stamps[-1]


def test_rolling_back_keeps_every_version_and_the_next_one_gets_a_new_number(a_store: ModelStore):
    for content in ("one", "two"):
        _publish(a_store, content)
    rolled = a_store.rollback("0001")
    assert rolled is not None and rolled.path.read_text() == "one"
    assert a_store.current() == rolled
    assert a_store.rollback() is None
    assert a_store.current() is None
    assert _publish(a_store, "three") == "0003"
    assert a_store.history()[2].notes["previous"] is None


def test_an_unknown_version_is_refused_with_those_there_are(a_store: ModelStore):
    with pytest.raises(ModelStoreError, match=r"no version '0007'.*nothing has been published"):
        a_store.rollback("0007")
    _publish(a_store, "one")
    with pytest.raises(ModelStoreError, match="there is 0001, and bundled"):
        a_store.rollback("../0001")


def test_a_publication_that_fails_changes_nothing(a_store: ModelStore):
    _publish(a_store, "one")
    before = a_store.stamp()

    def half(path: Path) -> None:
        path.write_text("tw")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        a_store.publish(half, {})
    assert a_store.stamp() == before
    assert sorted(path.name for path in a_store.folder.iterdir()) == ["0001", "current.json", "lock"]


def test_notes_that_are_no_json_are_refused_before_anything_is_served(a_store: ModelStore):
    with pytest.raises(ValueError, match="JSON"):
        _publish(a_store, "one", dice=float("nan"))
    assert a_store.current() is None


def test_a_damaged_record_is_said_plainly_and_a_rollback_mends_it(a_store: ModelStore):
    _publish(a_store, "one")
    (a_store.folder / "current.json").write_text("{")
    with pytest.raises(ModelStoreError, match="roll back to a version"):
        a_store.current()
    a_store.rollback("0001")
    assert a_store.current() is not None


def test_a_version_whose_weights_are_gone_is_said_to_be_damaged(a_store: ModelStore):
    _publish(a_store, "one")
    (a_store.folder / "0001" / "model.safetensors").unlink()
    with pytest.raises(ModelStoreError, match=r"0001.*damaged"):
        a_store.current()


def test_who_comes_second_is_refused_until_the_first_is_done_or_dead(a_store: ModelStore, monkeypatch):
    monkeypatch.setattr("samantic.training.model_store.PATIENCE_S", 0.05)
    command = [sys.executable, "-c", HOLDS_THE_LOCK, str(a_store.folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdout.readline() == "alone\n"
        left = a_store.folder / ".samantic-tmp-0001"
        left.mkdir()
        a_store.clean_up()
        assert left.is_dir(), "what somebody is writing was removed"
        for attempt in (lambda: _publish(a_store, "one"), a_store.rollback):
            with pytest.raises(StoreBusyError, match="already for the models in"):
                attempt()
        other.send_signal(signal.SIGKILL)
    a_store.clean_up()
    assert not left.exists()
    assert _publish(a_store, "one") == "0001"


def test_a_lock_can_be_taken_for_a_training_and_its_publication(a_store: ModelStore):
    with a_store.alone():
        assert _publish(a_store, "one") == "0001"


@pytest.mark.skipif(os.name != "posix", reason="the signal that nobody can catch is a Unix one")
def test_a_kill_while_publishing_leaves_whole_versions_and_one_of_them_served(a_store: ModelStore):
    acknowledged = 0
    for round_ in range(6):
        command = [sys.executable, "-c", PUBLISHES_FOREVER, str(a_store.folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None and writer.stdout.readline() == "ready\n"
            acknowledged = int(writer.stdout.readline())
            time.sleep(0.007 * round_)
            writer.kill()
            acknowledged = max([acknowledged, *(int(line) for line in writer.stdout)])
        a_store.clean_up()
        current = a_store.current()
        assert current is not None and int(current.version) >= acknowledged
        for model in a_store.history():
            number = json.loads((model.path.parent / "notes.json").read_text())["number"]
            assert model.path.read_bytes() == bytes([number % 251]) * 300_000
        assert not [path for path in a_store.folder.iterdir() if path.name.startswith(".")]
