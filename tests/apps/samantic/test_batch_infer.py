from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi import HTTPException
from monailabel.interfaces.tasks.batch_infer import BatchInferImageType

from samantic.app.lib.batch_infer import SafeBatchInfer
from samantic.app.lib.datastore import SamanticDatastore

UNLABELED = {"model": "segsam_auto", "images": BatchInferImageType.IMAGES_UNLABELED}


@pytest.fixture
def store(studies: Path) -> SamanticDatastore:
    return SamanticDatastore(studies)


class Model:
    """Saves a label for every image but `bad`, as the app does."""

    def __init__(self, store: SamanticDatastore, folder: Path, bad: str = "") -> None:
        self.store, self.folder, self.bad, self.asked = store, folder, bad, list[str]()

    def __call__(self, request: dict[str, Any], _: Any) -> dict[str, Any]:
        self.asked.append(request["image"])
        if request["image"] == self.bad:
            raise HTTPException(422, "The image is damaged.")
        file = self.folder / "answer.png"
        file.write_bytes(b"a label")
        self.store.save_label(request["image"], str(file), request["label_tag"], {"params": {"classes": []}})
        return {"label": request["image"], "file": str(file), "params": {}}


def test_every_unlabelled_image_gets_a_label_and_no_file_is_left(store: SamanticDatastore, tmp_path: Path) -> None:
    model = Model(store, tmp_path)
    result = SafeBatchInfer()(UNLABELED, store, model)
    assert set(result) == {"ct", "lesion", "scan"}
    assert all(list(store.get_labels_by_image_id(image)) == ["original"] for image in result)
    assert not (tmp_path / "answer.png").exists()


def test_a_run_that_was_stopped_goes_on_where_it_was(store: SamanticDatastore, tmp_path: Path) -> None:
    SafeBatchInfer()({**UNLABELED, "max_batch_size": 2}, store, Model(store, tmp_path))
    second = Model(store, tmp_path)
    SafeBatchInfer()(UNLABELED, store, second)
    assert second.asked == ["scan"]


def test_an_image_that_a_person_has_labelled_is_left_alone(store: SamanticDatastore, tmp_path: Path) -> None:
    Model(store, tmp_path)({"image": "ct", "label_tag": "final"}, store)
    model = Model(store, tmp_path)
    SafeBatchInfer()(UNLABELED, store, model)
    assert model.asked == ["lesion", "scan"]


def test_all_means_all(store: SamanticDatastore, tmp_path: Path) -> None:
    model = Model(store, tmp_path)
    for _ in range(2):
        SafeBatchInfer()({**UNLABELED, "images": BatchInferImageType.IMAGES_ALL}, store, model)
    assert model.asked == ["ct", "lesion", "scan"] * 2


def test_one_bad_image_does_not_end_the_run(store: SamanticDatastore, tmp_path: Path) -> None:
    result = SafeBatchInfer()(UNLABELED, store, Model(store, tmp_path, bad="ct"))
    assert result["ct"] == {"error": "The image is damaged."}
    assert store.get_labels_by_image_id("scan")
    assert not store.get_labels_by_image_id("ct")
