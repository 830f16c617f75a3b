"""The train task, from the labels of a datastore to a published version; the round itself is a stand-in."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import HTTPException

from samantic.app.lib.datastore import SamanticDatastore
from samantic.app.lib.trainers.segsam import SegSamTrainer
from samantic.segsam.checkpoint import file_hash
from samantic.training.model_store import ModelStore

NAMED = {"label_names": {"Liver": 1, "heart": 2}}


@pytest.fixture
def train(store: ModelStore, start: Path, a_round: Any, a_datastore: SamanticDatastore) -> Callable[..., Any]:
    """Trains as the server does, with the given parameters."""
    trainer = SegSamTrainer(store, start, lambda: None, a_round)
    return lambda **params: trainer({"model": "segsam", **params}, a_datastore)


@pytest.fixture
def a_trainer(store: ModelStore, start: Path, a_round: Any) -> SegSamTrainer:
    return SegSamTrainer(store, start, lambda: None, a_round)


def test_what_was_learned_is_published_with_where_it_came_from(train, save_label, store, start, a_round):
    save_label(NAMED)
    stats = train(epochs=2)
    model = store.current()
    assert model is not None and stats["published"] == model.version == "0001"
    notes = model.notes
    assert notes["parent"] == "bundled"
    assert notes["parent_sha256"] == file_hash(start)
    assert notes["learned_from"] == ["ct"]
    assert notes["classes"] == ["heart", "liver"]
    assert notes["new_classes"] == ["heart"]
    assert notes["validation"]["before"]["mean_dice"] == 0.5
    assert notes["validation"]["after"]["dice"] == {"liver": 0.6}
    assert notes["software"].startswith("samantic ")
    assert notes["left_out"] == ["A remark."]
    assert notes["sha256"] == file_hash(model.path)
    (_, images, options, more) = a_round.asked[0]
    assert dict(images[0].class_of_value) == {1: "liver", 2: "heart"}
    assert options.epochs == 2
    assert [path.name for path in more["rehearsal"]] == ["lesion.jpg", "scan.png"]


def test_the_next_training_begins_with_what_is_served_now(train, save_label, store, start, a_round):
    save_label(NAMED)
    train()
    train()
    train(initial="bundled")
    train(initial="1")
    starts = [asked[0] for asked in a_round.asked]
    assert starts == [start, store.history()[0].path, start, store.history()[0].path]
    assert [model.notes["parent"] for model in store.history()] == ["bundled", "0001", "bundled", "0001"]


def test_worse_weights_are_not_published(train, save_label, store, a_round):
    save_label(NAMED)
    a_round.after = 0.4
    stats = train()
    assert stats["published"] is None
    assert store.history() == ()


def test_every_epoch_is_a_line_of_json_and_the_statistics_have_every_class(
    train, save_label, a_trainer, capsys: pytest.CaptureFixture[str]
):
    save_label(NAMED)
    train()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["epoch"] for line in lines if "epoch" in line] == [1, 2]
    assert lines[1]["dice"] == {"liver": 0.6}
    assert lines[-1] == {"published": "0001", "before": 0.5, "after": 0.6}
    stats = a_trainer.stats()
    assert stats["per_class"] == {"liver": 0.6}
    assert stats["before"]["dice"] == {"liver": 0.5}
    assert (stats["epoch"], stats["best_metric"], stats["published"]) == (2, 0.6, "0001")
    assert "total_time" in stats and "current_time" not in stats


def test_statistics_are_there_while_it_trains_and_damaged_ones_are_none(train, save_label, a_trainer, a_round, store):
    save_label(NAMED)
    seen = []
    a_round.while_training = lambda: seen.append(a_trainer.stats())
    train()
    assert seen[0]["epoch"] == 2 and seen[0]["published"] is None and "current_time" in seen[0]
    (store.folder / "train_stats.json").write_text("{")
    assert a_trainer.stats() == {}


def test_a_segment_whose_name_means_no_class_is_left_out_and_said_so(train, save_label, a_round):
    save_label({"label_info": [{"name": "liver", "idx": 1}, {"name": "Segment_1", "idx": 2}]})
    stats = train()
    assert dict(a_round.asked[0][1][0].class_of_value) == {1: "liver"}
    assert "'Segment_1' means no class" in stats["left_out"][0]
    train(classes=[{"name": "Segment_1", "description": "A bright tube."}])
    assert dict(a_round.asked[1][1][0].class_of_value) == {1: "liver", 2: "Segment_1"}
    # Weights that learned it know it from then on.
    train()
    assert dict(a_round.asked[2][1][0].class_of_value) == {1: "liver", 2: "Segment_1"}


@pytest.mark.parametrize(
    ("notes", "params", "told"),
    [
        (None, {}, "no image has a final label"),
        ({}, {}, "nothing says which classes its label shows"),
        ({"label_names": {"Segment_1": 1}}, {}, "'Segment_1' means no class"),
        (NAMED, {"val_ids": ["mr"]}, "'val_ids' names 'mr'"),
        (NAMED, {"initial": "0009"}, "no such version"),
        (NAMED, {"epochs": 0}, "Epochs must be 1 to"),
    ],
)
def test_what_cannot_be_learned_is_refused_with_a_sentence(train, save_label, store, notes, params, told):
    if notes is not None:
        save_label(notes)
    with pytest.raises(HTTPException, match=told) as refused:
        train(**params)
    assert refused.value.status_code == 422
    assert store.history() == ()


def test_only_final_labels_are_learned_from(train, save_label):
    save_label(NAMED, tag="original")
    with pytest.raises(HTTPException, match="no image has a final label"):
        train()


def test_a_second_training_is_refused_while_the_first_is_under_way(
    train, save_label, store, a_round, a_trainer, a_datastore, monkeypatch
):
    monkeypatch.setattr("samantic.training.model_store.PATIENCE_S", 0.05)
    save_label(NAMED)
    elsewhere = SegSamTrainer(ModelStore(store.folder), a_trainer._start, lambda: None, a_round)
    refused = []

    def second() -> None:
        for attempt in (
            lambda: elsewhere.refuse_early({}, a_datastore, waits=False),
            lambda: elsewhere({"model": "segsam"}, a_datastore),
        ):
            with pytest.raises(HTTPException) as error:
                attempt()
            refused.append(error.value)
        elsewhere.refuse_early({}, a_datastore, waits=True)

    a_round.while_training = second
    train()
    assert [error.status_code for error in refused] == [409, 409]
    assert refused[0].detail.startswith("A training is running already")
    assert len(store.history()) == 1


def test_what_would_be_in_vain_is_refused_before_a_process_is_started(a_trainer, a_datastore, save_label):
    with pytest.raises(HTTPException, match="no image has a final label"):
        a_trainer.refuse_early({}, a_datastore, waits=False)
    save_label(NAMED)
    with pytest.raises(HTTPException, match="no parameter"):
        a_trainer.refuse_early({"epoch": 1}, a_datastore, waits=False)
    with pytest.raises(HTTPException, match="'val_ids' names 'scan', but no image of that id has a final label"):
        a_trainer.refuse_early({"val_ids": ["scan"]}, a_datastore, waits=False)
    a_trainer.refuse_early({"epochs": 1}, a_datastore, waits=False)
