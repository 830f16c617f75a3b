"""The train task `breast`, from a datastore's ultrasound to a published version that is served."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fastapi import HTTPException
from PIL import Image

from samantic.app.lib.datastore import SamanticDatastore
from samantic.app.lib.infers.published_model import PublishedModel
from samantic.app.lib.trainers.breast import BreastTrainer
from samantic.breast import BreastConfig, BreastFileError, BreastNetwork, BreastReader, read_breast, save_breast
from samantic.datasets.labelled_view import LabelledView
from samantic.segsam import TrainingManifest
from samantic.segsam.checkpoint import file_hash
from samantic.training.model_store import ModelStore

SHORT = {"epochs": 1, "steps_per_epoch": 12, "batch_size": 4, "learning_rate": 5e-3}
BENIGN = {"label_info": [{"name": "benign", "idx": 1}]}
SPOTS = tuple(f"spot{number:02d}" for number in range(6))


@pytest.fixture
def breast_file(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    network = BreastNetwork(BreastConfig(image_size=64, hidden=32))
    save_breast(network, tmp_path / "start.safetensors", manifest=TrainingManifest.of({"busi": ["benign_1"]}))
    return tmp_path / "start.safetensors"


@pytest.fixture
def datastore(tmp_path: Path, lesion_views: Callable[..., list[LabelledView]]) -> SamanticDatastore:
    """Grey pictures `spot00` to `spot05`, without labels."""
    folder = tmp_path / "ultrasound"
    folder.mkdir()
    for view in lesion_views(6):
        Image.fromarray(view.image).convert("L").save(folder / f"{view.image_id}.png")
    return SamanticDatastore(folder)


@pytest.fixture
def save(
    datastore: SamanticDatastore, tmp_path: Path, lesion_views: Callable[..., list[LabelledView]]
) -> Callable[..., None]:
    """Saves final labels of some spots, with what a client notes about them."""
    labels = {view.image_id: view.labels for view in lesion_views(6)}

    def save(*images: str, notes: dict[str, Any] | None = None) -> None:
        for image in images:
            Image.fromarray(labels[image].astype(np.uint8)).save(tmp_path / "label.png")
            datastore.save_label(image, str(tmp_path / "label.png"), "final", notes or BENIGN)

    return save


@pytest.fixture
def train(store: ModelStore, breast_file: Path, datastore: SamanticDatastore) -> Callable[..., dict[str, Any]]:
    """Trains as the server does, with the given parameters."""
    trainer = BreastTrainer(store, breast_file)
    return lambda **params: trainer({"model": "breast", **SHORT, **params}, datastore)


def test_what_was_learned_is_published_with_where_it_came_from_and_served(
    train, save, store: ModelStore, breast_file: Path, capsys: pytest.CaptureFixture[str]
):
    save(*SPOTS)
    served = PublishedModel(store, breast_file, BreastReader.load, BreastFileError)
    assert served.now().weights_hash == file_hash(breast_file)
    stats = train()
    model = store.current()
    assert model is not None and stats["published"] == model.version == "0001"
    notes = model.notes
    assert (notes["model"], notes["parent"], notes["classes"]) == ("breast", "bundled", ["breast_lesion"])
    assert sorted([*notes["learned_from"], *notes["held_out"]]) == list(SPOTS) and notes["held_out"]
    before, after = notes["validation"]["before"], notes["validation"]["after"]
    assert after["mean_dice"] >= before["mean_dice"] and after["diagnosis_loss"] <= before["diagnosis_loss"]
    assert notes["sha256"] == file_hash(model.path) == served.now().weights_hash
    assert read_breast(model.path).manifest.images == {"busi": ("benign_1",), "studies": tuple(notes["learned_from"])}
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == {"images": 6, "initial": "bundled"} and lines[-1]["published"] == "0001"
    store.rollback()
    assert served.now().weights_hash == file_hash(breast_file)


def test_a_lesion_that_nobody_judged_is_learned_for_its_outline_alone(train, save):
    save(*SPOTS, notes={"label_names": {"breast lesion": 1}})
    stats = train()
    assert stats["before"]["diagnosis_loss"] is None
    assert stats["best_metric"] > stats["before"]["mean_dice"] and stats["published"] == "0001"


def test_labels_that_name_no_lesion_of_the_breast_are_left_out(train, save):
    save(*SPOTS[:4])
    save("spot04", notes={"label_names": {"nipple": 1}})
    save("spot05", notes={**BENIGN, "synthetic": True})
    left_out = train()["left_out"]
    assert left_out == ["2 images are left out: no label of a lesion of the breast."]


@pytest.mark.parametrize(
    ("labels", "notes", "params", "told"),
    [
        ((), None, {}, "no image has a final label"),
        (SPOTS[:1], {"label_names": {"nipple": 1}}, {}, "nothing to learn from: 1 image is left out"),
        (SPOTS[:2], None, {"initial": "0009"}, "no such version"),
        (SPOTS[:2], None, {"epochs": 0}, "Epochs must be 1 to"),
        (SPOTS[:2], None, {"members": 3}, "no parameter 'members'"),
        (SPOTS[:2], None, {"val_ids": ["spot05"]}, "'val_ids' names 'spot05'"),
        (SPOTS[:2], None, {"device": "abacus"}, "'device' is 'abacus'"),
    ],
)
def test_what_cannot_be_learned_is_refused_with_a_sentence(train, save, store: ModelStore, labels, notes, params, told):
    save(*labels, notes=notes)
    with pytest.raises(HTTPException) as refused:
        train(**params)
    assert refused.value.status_code == 422 and told in refused.value.detail
    assert store.history() == ()


def test_a_damaged_start_is_refused(store: ModelStore, datastore: SamanticDatastore, save, tmp_path: Path):
    save(*SPOTS[:2])
    (tmp_path / "no.safetensors").write_bytes(b"no weights")
    with pytest.raises(HTTPException, match="cannot be read as a safetensors file"):
        BreastTrainer(store, tmp_path / "no.safetensors")({"model": "breast"}, datastore)
