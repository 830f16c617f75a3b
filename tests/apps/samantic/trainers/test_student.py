"""The train task of a student, from a datastore's photographs to a published version that is served."""

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
from samantic.app.lib.trainers.student import StudentTrainer
from samantic.datasets.labelled_view import LabelledView
from samantic.segsam import SegSam, SegSamConfig, SegSamPredictor, TrainingManifest
from samantic.segsam.checkpoint import file_hash
from samantic.student import (
    MambaStudent,
    PromptableTeacher,
    StudentConfig,
    StudentError,
    StudentPredictor,
    load_student,
    save_student,
)
from samantic.training.model_store import ModelStore

SHORT = {"epochs": 1, "steps_per_epoch": 12, "batch_size": 4, "unlabelled": 2, "learning_rate": 5e-3}
LESION = {"label_names": {"skin_lesion": 1}}
LABELLED, WITHOUT = tuple(f"spot{number:02d}" for number in range(5)), ("spot05", "spot06")


@pytest.fixture
def student_file(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    config = StudentConfig(side=32, fold=2, widths=(8, 16), mixers=(0, 1), head_width=8, state=4)
    manifest = TrainingManifest.of({"isic2017": ["ISIC_0000001"]})
    save_student(MambaStudent(config), tmp_path / "start.safetensors", manifest=manifest)
    return tmp_path / "start.safetensors"


@pytest.fixture
def teacher(small_encoder: str) -> PromptableTeacher:
    torch.manual_seed(1)
    network = SegSam(SegSamConfig(("liver", "skin_lesion"), encoder=small_encoder, transformer_mlp_dim=64)).eval()
    return PromptableTeacher(SegSamPredictor(network, "teacher", device="cpu"))


@pytest.fixture
def datastore(tmp_path: Path, lesion_views: Callable[..., list[LabelledView]]) -> SamanticDatastore:
    """`spot00` to `spot06`, and `gray`, which is no photograph of skin; without labels."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    for view in lesion_views(7):
        Image.fromarray(view.image).save(folder / f"{view.image_id}.png")
    Image.new("L", (64, 48), 90).save(folder / "gray.png")
    return SamanticDatastore(folder)


@pytest.fixture
def save(
    datastore: SamanticDatastore, tmp_path: Path, lesion_views: Callable[..., list[LabelledView]]
) -> Callable[..., None]:
    """Saves final labels of some images, with what a client notes about them."""
    labels = {view.image_id: view.labels for view in lesion_views(7)}

    def save(*images: str, notes: dict[str, Any] | None = None) -> None:
        for image in images:
            Image.fromarray(labels.get(image, np.ones((48, 64))).astype(np.uint8)).save(tmp_path / "label.png")
            datastore.save_label(image, str(tmp_path / "label.png"), "final", notes or LESION)

    return save


@pytest.fixture
def train(
    store: ModelStore, student_file: Path, datastore: SamanticDatastore, teacher: PromptableTeacher
) -> Callable[..., dict[str, Any]]:
    """Trains as the server does, with the given parameters."""
    trainer = StudentTrainer(store, student_file, lambda: teacher)
    return lambda **params: trainer({"model": "student", **SHORT, **params}, datastore)


def test_what_was_learned_is_published_with_where_it_came_from_and_served(
    train, save, store: ModelStore, student_file: Path, capsys: pytest.CaptureFixture[str]
):
    save(*LABELLED)
    served = PublishedModel(store, student_file, StudentPredictor.load, StudentError)
    stats = train()
    model = store.current()
    assert model is not None and stats["published"] == model.version == "0001"
    notes = model.notes
    assert (notes["model"], notes["parent"], notes["classes"]) == ("student", "bundled", ["skin_lesion"])
    assert sorted([*notes["learned_from"], *notes["held_out"]]) == list(LABELLED) and notes["held_out"]
    assert notes["without_label"] == 3
    assert notes["validation"]["after"]["mean_dice"] >= notes["validation"]["before"]["mean_dice"]
    assert notes["sha256"] == file_hash(model.path) == served.now().weights_hash
    learned = load_student(model.path).manifest.images
    assert learned == {"isic2017": ("ISIC_0000001",), "studies": tuple(notes["learned_from"])}
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == {"images": 5, "initial": "bundled"} and lines[-1]["published"] == "0001"
    store.rollback()
    assert served.now().weights_hash == file_hash(student_file)


def test_worse_weights_are_not_published(train, save, store: ModelStore):
    save(*LABELLED)
    train()
    published = len(store.history())
    stats = train(learning_rate=3.0, steps_per_epoch=3)
    assert stats["published"] is None and len(store.history()) == published


def test_without_its_lessons_no_teacher_is_asked_for(
    save, store: ModelStore, student_file: Path, datastore: SamanticDatastore
):
    def no_teacher() -> PromptableTeacher:
        raise AssertionError("nobody needs a teacher")

    save(*LABELLED)
    trainer = StudentTrainer(store, student_file, no_teacher)
    trainer({**SHORT, "distillation": 0, "guesses": 0, "steps_per_epoch": 1}, datastore)


def test_what_names_no_class_of_the_student_is_left_out_and_told(train, save):
    save(*LABELLED[:4])
    save(LABELLED[4], notes={"label_names": {"liver": 1}})
    save("gray")
    stats = train(steps_per_epoch=2)
    said = " ".join(stats["left_out"])
    assert "1 image is left out: no label of skin_lesion" in said
    assert "'gray' is left out: it is no photograph in colour" in said


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"val_ids": "spot05"}, "no image of that id has a final label"),
        ({"epochs": 0}, "Epochs must be 1 to"),
        ({"teacher": "sam"}, "has no parameter"),
        ({"guesses": -1}, "Guesses must be 0 to 100"),
    ],
)
def test_wrong_parameters_are_refused_with_a_sentence(train, save, params: dict[str, Any], message: str):
    save(*LABELLED)
    with pytest.raises(HTTPException, match=message):
        train(**params)


def test_without_a_label_there_is_nothing_to_learn_from(train, save):
    with pytest.raises(HTTPException, match="There is nothing to learn from"):
        train()
    save("spot00", notes={"label_names": {"liver": 1}})
    with pytest.raises(HTTPException, match="no label of skin_lesion"):
        train()
