"""The train task `besadiff`, from a datastore's photographs to a published version that is served."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi import HTTPException
from PIL import Image

from samantic.app.lib.datastore import SamanticDatastore
from samantic.app.lib.infers.published_model import PublishedModel
from samantic.app.lib.trainers.besadiff import BesaDiffTrainer
from samantic.besadiff.checkpoint import PartError, read_part
from samantic.besadiff.segmenter import LesionSegmenter
from samantic.besadiff.synthesis.manifest import Attempt
from samantic.besadiff.synthesis.pair_folder import PairFolder
from samantic.datasets.labelled_view import LabelledView
from samantic.segsam.checkpoint import file_hash
from samantic.training.model_store import ModelStore

SHORT = {"epochs": 1, "steps_per_epoch": 8, "batch_size": 4, "learning_rate": 5e-3, "members": 1, "steps": 2}
LESION = {"label_names": {"skin_lesion": 1}}


@pytest.fixture
def segmenter_file(tmp_path: Path, write_segmenter: Callable[..., Path]) -> Path:
    return write_segmenter(tmp_path / "start.safetensors", learned=("ISIC_0000001",))


@pytest.fixture
def datastore(tmp_path: Path, lesion_views: Callable[..., list[LabelledView]]) -> SamanticDatastore:
    """`spot00` to `spot05`, and `ct` and `gray`, which are no photographs of skin; without labels."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    for view in lesion_views(6):
        Image.fromarray(view.image).save(folder / f"{view.image_id}.png")
    Image.new("L", (64, 48), 90).save(folder / "gray.png")
    return SamanticDatastore(folder)


@pytest.fixture
def save(
    datastore: SamanticDatastore, tmp_path: Path, lesion_views: Callable[..., list[LabelledView]]
) -> Callable[..., None]:
    """Saves final labels of some spots, with what a client notes about them."""
    labels = {view.image_id: view.labels for view in lesion_views(6)}

    def save(*images: str, notes: dict[str, Any] | None = None) -> None:
        for image in images:
            Image.fromarray(labels.get(image, np.ones((48, 64))).astype(np.uint8)).save(tmp_path / "label.png")
            datastore.save_label(image, str(tmp_path / "label.png"), "final", notes or LESION)

    return save


@pytest.fixture
def trainer(store: ModelStore, segmenter_file: Path) -> BesaDiffTrainer:
    return BesaDiffTrainer(store, segmenter_file)


@pytest.fixture
def train(trainer: BesaDiffTrainer, datastore: SamanticDatastore) -> Callable[..., dict[str, Any]]:
    """Trains as the server does, with the given parameters."""
    return lambda **params: trainer({"model": "besadiff", **SHORT, **params}, datastore)


SPOTS = tuple(f"spot{number:02d}" for number in range(6))


def test_what_was_learned_is_published_with_where_it_came_from_and_served(
    train, save, store: ModelStore, segmenter_file: Path, capsys: pytest.CaptureFixture[str]
):
    save(*SPOTS)
    served = PublishedModel(store, segmenter_file, LesionSegmenter.load, PartError)
    assert served.now().weights_hash == file_hash(segmenter_file)
    stats = train()
    model = store.current()
    assert model is not None and stats["published"] == model.version == "0001"
    notes = model.notes
    assert (notes["model"], notes["parent"], notes["classes"]) == ("besadiff", "bundled", ["skin_lesion"])
    assert notes["parent_sha256"] == file_hash(segmenter_file)
    assert sorted([*notes["learned_from"], *notes["held_out"]]) == list(SPOTS) and notes["held_out"]
    assert notes["validation"]["after"]["mean_dice"] >= notes["validation"]["before"]["mean_dice"]
    assert notes["synthetic"] == []
    assert notes["sha256"] == file_hash(model.path) == served.now().weights_hash
    manifest = read_part("segmenter", model.path).manifest
    assert manifest.images == {"isic2017": ("ISIC_0000001",), "studies": tuple(notes["learned_from"])}
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == {"images": 6, "initial": "bundled"}
    assert lines[1]["epoch"] == 1 and set(lines[1]["dice"]) == {"skin_lesion"}
    assert lines[-1]["published"] == "0001"
    store.rollback()
    assert served.now().weights_hash == file_hash(segmenter_file)


def test_worse_weights_are_not_published_and_the_statistics_say_how_much_worse(
    store: ModelStore, a_trained_segmenter: Path, datastore: SamanticDatastore, save
):
    save(*SPOTS)
    trainer = BesaDiffTrainer(store, a_trained_segmenter)
    stats = trainer({**SHORT, "steps_per_epoch": 3, "learning_rate": 2.0}, datastore)
    assert stats["published"] is None and store.history() == ()
    assert trainer.stats()["best_metric"] < trainer.stats()["before"]["mean_dice"]


@pytest.mark.parametrize(
    ("params", "learned"), [({}, True), ({"synthetic": "labelled"}, True), ({"synthetic": "none"}, False)]
)
def test_synthetic_images_of_the_studies_are_learned_from_unless_that_is_not_wanted(
    trainer: BesaDiffTrainer, datastore: SamanticDatastore, save, params: dict[str, str], learned: bool
):
    save(*SPOTS[:4])
    save(*SPOTS[4:], notes={**LESION, "synthetic": True})
    images = trainer.gather(datastore, trainer.read(params), Path()).images
    made_up = {image.image_id for image in images if image.is_synthetic}
    assert made_up == (set(SPOTS[4:]) if learned else set())
    assert {image.image_id for image in images} - made_up == set(SPOTS[:4])


def test_a_folder_that_samantic_synthesize_wrote_is_learned_from_by_its_name(
    train, save, store: ModelStore, datastore: SamanticDatastore, lesion_views: Callable[..., list[LabelledView]]
):
    save(*SPOTS)
    pairs = PairFolder(datastore.studies / "synthetic")
    pairs.make()
    noted = []
    for view in lesion_views(2, seed=5):
        hashes = pairs.write(view.image_id, view.image, view.labels > 0, view.labels.astype(float))
        noted.append(
            Attempt(len(noted), "accepted", view.image_id, (), {"condition": {"diagnosis": "nevus"}, **hashes})
        )
    pairs.note(noted)
    train(synthetic="synthetic")
    assert store.current().notes["synthetic"] == ["synthetic/spot00", "synthetic/spot01"]
    manifest = read_part("segmenter", store.current().path).manifest
    assert manifest.images["studies, synthetic"] == ("synthetic/spot00", "synthetic/spot01")
    with pytest.raises(HTTPException, match="no such folder"):
        train(synthetic="elsewhere")
    with pytest.raises(HTTPException, match="it has no record"):
        train(synthetic="labels")


def test_only_labels_that_name_a_lesion_are_learned_from_and_what_lies_within_it_belongs_to_it(
    save, datastore: SamanticDatastore, trainer: BesaDiffTrainer
):
    save(*SPOTS[:3])
    save("spot03", notes={"label_names": {"mole": 1, "globules": 2, "hair": 3}})
    save("spot04", "gray", notes={"label_names": {"hair": 1}})
    material = trainer.gather(datastore, trainer.read({}), Path())
    by_id = {image.image_id: dict(image.class_of_value) for image in material.images}
    assert sorted(by_id) == list(SPOTS[:4])
    assert by_id["spot03"] == {1: "skin_lesion", 2: "skin_lesion"}
    assert material.left_out == ("2 images are left out: no label of a lesion.",)


@pytest.mark.parametrize(
    ("labels", "params", "told"),
    [
        ((), {}, "no image has a final label"),
        (("gray",), {}, "nothing to learn from"),
        (SPOTS[:2], {"initial": "0009"}, "no such version"),
        (SPOTS[:2], {"epochs": 0}, "Epochs must be 1 to"),
        (SPOTS[:2], {"axes": "0"}, "no parameter 'axes'"),
        (SPOTS[:2], {"synthetic": "../elsewhere"}, "'synthetic' is '../elsewhere'"),
        (SPOTS[:2], {"synthetic": "a/../../b"}, "'synthetic' is"),
        (SPOTS[:2], {"val_ids": ["spot05"]}, "'val_ids' names 'spot05'"),
        (SPOTS[:2], {"device": "abacus"}, "'device' is 'abacus'"),
    ],
)
def test_what_cannot_be_learned_is_refused_with_a_sentence(
    train, save, trainer: BesaDiffTrainer, datastore, store: ModelStore, labels, params, told
):
    save(*labels)
    with pytest.raises(HTTPException) as refused:
        trainer.refuse_early(params, datastore, waits=False)
        train(**params)
    assert refused.value.status_code == 422 and told in refused.value.detail
    assert store.history() == ()


def test_a_synthetic_image_cannot_be_asked_to_be_measured_on(train, save):
    save(*SPOTS[:3])
    save("spot05", notes={**LESION, "synthetic": True})
    with pytest.raises(HTTPException, match="'val_ids' names 'spot05', which is no real photograph"):
        train(val_ids=["spot05"])


def test_a_damaged_start_is_refused(store: ModelStore, datastore: SamanticDatastore, save, tmp_path: Path):
    save(*SPOTS[:2])
    (tmp_path / "no.safetensors").write_bytes(b"no weights")
    with pytest.raises(HTTPException, match="cannot be read as a safetensors file"):
        BesaDiffTrainer(store, tmp_path / "no.safetensors")({"model": "besadiff"}, datastore)
