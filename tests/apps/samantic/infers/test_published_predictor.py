"""What is published serves from the next request on, and mixes with nothing of before."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest

from samantic.app.lib.infers.published_predictor import PublishedPredictor
from samantic.app.lib.infers.segsam import SegSam
from samantic.segsam.checkpoint import file_hash
from samantic.training.model_store import ModelStore

CLICK = {"foreground": [[20, 18, 5]], "session": "reader", "result": "crop", "result_write_to_file": False}
TWO_CLICKS = {**CLICK, "foreground": [[20, 18, 5], [24, 20, 5]]}


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def ask(task: SegSam, image: Path, **params: Any) -> dict[str, Any]:
    return task({"image": str(image), "model": "segsam", **params})[1]


def test_the_task_answers_with_the_weights_that_are_served_and_lists_what_they_know(
    store, start, write_weights, a_ct_file: Path
):
    task = SegSam(PublishedPredictor(store, start))
    assert ask(task, a_ct_file, **CLICK)["weights_hash"] == file_hash(start)
    model = store.publish(lambda path: write_weights(path, ("liver", "stent"), seed=3), {})
    assert task.info()["labels"] == ["liver", "stent"]
    result = ask(task, a_ct_file, **CLICK, classes=["stent"])
    assert result["weights_hash"] == model.notes["sha256"]
    assert result["label_names"] == {"stent": 1}
    store.rollback()
    assert task.labels == ["liver", "spleen", "skin_lesion"]
    assert ask(task, a_ct_file, **CLICK)["weights_hash"] == file_hash(start)


def test_a_click_is_not_refined_from_an_answer_of_other_weights(store, start, write_weights, a_ct_file: Path):
    task, fresh = (SegSam(PublishedPredictor(store, start)) for _ in range(2))
    ask(task, a_ct_file, **CLICK)
    store.publish(lambda path: write_weights(path, seed=3), {})
    refined, anew = ask(task, a_ct_file, **TWO_CLICKS), ask(fresh, a_ct_file, **TWO_CLICKS)
    for key in ("extent", "quality", "class_probabilities", "weights_hash"):
        assert refined[key] == anew[key], key


def test_who_began_with_one_version_ends_with_it_while_others_get_the_next(store, start, write_weights):
    published = PublishedPredictor(store, start)
    first = published.now()
    assert first.weights_hash == file_hash(start)
    model = store.publish(lambda path: write_weights(path, ("liver", "heart"), seed=3), {})
    second = published.now()
    assert second is not first and second.class_names == ("liver", "heart")
    assert second.weights_hash == model.notes["sha256"]
    assert first.class_names == ("liver", "spleen", "skin_lesion")
    assert published.now() is second, "weights are read again although nothing was published"
    store.rollback()
    assert published.now().weights_hash == first.weights_hash


def test_a_version_that_cannot_be_loaded_leaves_the_one_before_and_a_start_finds_it(store, start, write_weights):
    published = PublishedPredictor(store, start)
    good = store.publish(lambda path: write_weights(path, seed=3), {})
    assert published.now().weights_hash == good.notes["sha256"]
    store.publish(lambda path: path.write_bytes(b"no weights"), {})
    assert published.now().weights_hash == good.notes["sha256"]
    assert PublishedPredictor(ModelStore(store.folder), start).now().weights_hash == good.notes["sha256"]


def test_a_start_removes_what_a_killed_publication_left(store, start):
    store.rollback()
    left = store.folder / ".samantic-tmp-0001"
    left.mkdir()
    PublishedPredictor(store, start)
    assert not left.exists()
