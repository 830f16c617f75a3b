"""The train task `skin_photo`, from a datastore's photographs to a published version that is served."""

from __future__ import annotations

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
from samantic.app.lib.trainers.skin_photo import SkinPhotoTrainer
from samantic.segsam import TrainingManifest
from samantic.segsam.checkpoint import file_hash
from samantic.skinphoto.checkpoint import SkinPhotoWeightsError, read_skin_photo, save_skin_photo
from samantic.skinphoto.network import SkinPhotoConfig, SkinPhotoNetwork
from samantic.skinphoto.segmenter import SkinSegmenter
from samantic.training.model_store import ModelStore

SHORT = {"epochs": 1, "steps_per_epoch": 20, "batch_size": 4, "learning_rate": 5e-3}
NAMES = {"label_names": {"skin": 1, "skin_lesion": 2}}
COLOURS = np.array([(40, 90, 200), (225, 180, 150), (110, 50, 40)], np.uint8)


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The smallest network of the kind, random."""
    torch.manual_seed(0)
    config = SkinPhotoConfig("mobilenet_v2", side=64, decoder_channels=16, atrous_rates=(1, 2, 3), norm="instance")
    path = tmp_path_factory.mktemp("weights") / "start.safetensors"
    save_skin_photo(SkinPhotoNetwork(config), path, TrainingManifest.of({"isic2017": ["ISIC_1"]}))
    return path


@pytest.fixture
def datastore(tmp_path: Path) -> SamanticDatastore:
    """`arm0` to `arm3`, without labels."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    for number in range(4):
        Image.fromarray(COLOURS[_labels(number)]).save(folder / f"arm{number}.png")
    return SamanticDatastore(folder)


def _labels(number: int) -> np.ndarray:
    y, x = np.ogrid[:60, :80]
    labels = (x >= 10 + 6 * number) * np.ones((60, 80), np.uint8)
    labels[(y - 30) ** 2 + (x - 58) ** 2 < 15**2] = 2
    return labels


@pytest.fixture
def save(datastore: SamanticDatastore, tmp_path: Path) -> Callable[..., None]:
    """Saves final labels with what a client notes about them."""

    def save(*numbers: int, notes: dict[str, Any] = NAMES) -> None:
        for number in numbers:
            Image.fromarray(_labels(number)).save(tmp_path / "label.png")
            datastore.save_label(f"arm{number}", str(tmp_path / "label.png"), "final", notes)

    return save


@pytest.fixture
def train(store: ModelStore, start: Path, datastore: SamanticDatastore) -> Callable[..., dict[str, Any]]:
    """Trains as the server does, with the given parameters."""
    trainer = SkinPhotoTrainer(store, start)
    return lambda **params: trainer({"model": "skin_photo", **SHORT, **params}, datastore)


def test_what_was_learned_is_published_with_where_it_came_from_and_served(train, save, store: ModelStore, start: Path):
    save(0, 1, 2, 3)
    served = PublishedModel(store, start, SkinSegmenter.load, SkinPhotoWeightsError)
    stats = train(val_ids="arm3")
    assert stats["published"] == "0001" and set(stats["per_class"]) == {"skin", "skin_lesion"}
    published = store.current()
    assert published is not None and published.notes["parent_sha256"] == file_hash(start)
    assert published.notes["held_out"] == ["arm3"] and published.notes["learned_from"] == ["arm0", "arm1", "arm2"]
    assert served.now().weights_hash == file_hash(published.path)
    manifest = read_skin_photo(published.path).manifest.images
    assert manifest == {"isic2017": ("ISIC_1",), "studies": ("arm0", "arm1", "arm2")}


def test_labels_without_skin_and_synthetic_ones_are_left_out(train, save):
    save(0, 1)
    save(2, notes={"label_names": {"skin_lesion": 2}})
    save(3, notes={**NAMES, "synthetic": True})
    stats = train()
    assert "2 images are left out: no label of skin in a real photograph." in stats["left_out"]


def test_there_must_be_something_to_learn_from(train, save):
    save(0, notes={"label_names": {"skin_lesion": 2}})
    with pytest.raises(HTTPException, match="There is nothing to learn from: 1 image is left out") as refused:
        train()
    assert refused.value.status_code == 422


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"val_ids": "arm9"}, "'val_ids' names 'arm9', but no image of that id has a final label"),
        ({"epochs": 0}, "Epochs must be 1 to 10000, not 0"),
        ({"members": 3}, "A training has no parameter 'members'"),
        ({"initial": "0007"}, "no such version of the model was published"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(train, save, params: dict[str, Any], said: str):
    save(0, 1)
    with pytest.raises(HTTPException, match=said):
        train(**params)
