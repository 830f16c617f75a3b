from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from fastapi import HTTPException
from monailabel.interfaces.tasks.infer_v2 import InferTask, InferType

from samantic.app.lib.datastore import SamanticDatastore
from samantic.app.lib.scoring.dice import DiceOfLabels

SHAPE = (8, 9, 5)
AFFINE = np.diag([-1.0, -1.0, 2.0, 1.0])


@pytest.fixture
def store(studies: Path, write_nifti: Callable[..., Path]) -> SamanticDatastore:
    """The images `ct` and `ct2`, and two photographs."""
    write_nifti(studies / "ct2.nii.gz", 1)
    return SamanticDatastore(studies)


def save(store: SamanticDatastore, path: Path, image: str, tag: str, names: Mapping[str, int], **where: Any) -> None:
    """Save a label: of each name the voxels i of a slice."""
    labels = np.zeros(SHAPE, np.uint8)
    for name, place in where.items():
        labels[place] = names[name] if names else int(name[1:])
    nibabel.save(nibabel.Nifti1Image(labels, AFFINE), path)
    store.save_label(image, str(path), tag, {"label_names": dict(names)} if names else {})


class Automatic(InferTask):
    """Answers liver in the lower half of everything."""

    def __init__(self, folder: Path) -> None:
        super().__init__(InferType.SEGMENTATION, ["liver"], 3, "a task for tests")
        self.file = folder / "answer.nii.gz"

    def is_valid(self) -> bool:
        return True

    def __call__(self, request: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        labels = np.zeros(nibabel.load(request["image"]).shape, np.uint8)
        labels[:4] = 1
        nibabel.save(nibabel.Nifti1Image(labels, AFFINE), self.file)
        return str(self.file), {"label_names": {"liver": 1}}


def test_dice_by_class_and_image_is_answered_and_noted_with_the_label(store: SamanticDatastore, tmp_path: Path) -> None:
    file = tmp_path / "l.nii.gz"
    save(store, file, "ct", "final", {"liver": 1, "spleen": 2}, liver=slice(0, 4), spleen=slice(4, 6))
    # The same classes by other values.
    save(store, file, "ct", "original", {"liver": 5, "spleen": 3}, liver=slice(0, 2), spleen=slice(4, 6))
    save(store, file, "ct2", "final", {"liver": 1, "spleen": 2}, liver=slice(0, 4))
    save(store, file, "ct2", "original", {"liver": 1}, liver=slice(0, 4))
    answer = DiceOfLabels({})({}, store)
    assert answer["images"] == 2 and answer["left_out"] == {}
    assert answer["scores"]["ct"] == {
        "mean": pytest.approx(0.8333, abs=1e-4),
        "by_class": {"liver": 0.6667, "spleen": 1},
    }
    assert answer["scores"]["ct2"] == {"mean": 1.0, "by_class": {"liver": 1.0}}
    assert answer["by_class"] == {"liver": {"mean": 0.8333, "images": 2}, "spleen": {"mean": 1.0, "images": 1}}
    noted = store.get_label_info("ct", "final")
    assert noted["scores"]["dice"]["original"]["by_class"] == {"liver": 0.6667, "spleen": 1.0}
    assert noted["label_names"] == {"liver": 1, "spleen": 2}
    json.dumps(answer)


def test_a_class_that_the_person_does_not_speak_of_is_not_scored(store: SamanticDatastore, tmp_path: Path) -> None:
    save(store, tmp_path / "l.nii.gz", "ct", "final", {"liver": 1}, liver=slice(0, 4))
    names = {"liver": 1, "spleen": 2}
    save(store, tmp_path / "l.nii.gz", "ct", "original", names, liver=slice(0, 4), spleen=slice(5, 7))
    assert DiceOfLabels({})({}, store)["scores"]["ct"]["by_class"] == {"liver": 1.0}


def test_labels_that_do_not_say_what_they_mean_are_compared_by_value(store: SamanticDatastore, tmp_path: Path) -> None:
    save(store, tmp_path / "l.nii.gz", "ct", "final", {}, v1=slice(0, 4), v2=slice(4, 8))
    save(store, tmp_path / "l.nii.gz", "ct", "original", {}, v1=slice(0, 4))
    assert DiceOfLabels({})({}, store)["scores"]["ct"]["by_class"] == {"value 1": 1.0, "value 2": 0.0}


def test_a_model_can_be_asked_and_leaves_no_file(store: SamanticDatastore, tmp_path: Path) -> None:
    save(store, tmp_path / "l.nii.gz", "ct", "final", {"liver": 1}, liver=slice(0, 8))
    task = Automatic(tmp_path)
    answer = DiceOfLabels({"auto": task})({"model": "auto"}, store)
    assert answer["scores"]["ct"]["by_class"] == {"liver": 0.6667} and answer["of"] == "auto"
    assert not task.file.exists()
    save(store, tmp_path / "l.nii.gz", "ct", "original", {"liver": 1}, liver=slice(0, 8))
    DiceOfLabels({})({}, store)
    assert set(store.get_label_info("ct", "final")["scores"]["dice"]) == {"auto", "original"}


def test_what_cannot_be_scored_is_left_out_and_said(store: SamanticDatastore, tmp_path: Path) -> None:
    file = tmp_path / "l.nii.gz"
    for image in ("ct", "ct2"):
        save(store, file, image, "final", {"liver": 1}, liver=slice(0, 4))
    save(store, file, "ct", "original", {"liver": 1}, liver=slice(0, 4))
    save(store, file, "ct2", "original", {"liver": 1}, liver=slice(0, 4))
    Path(store.get_label_uri("ct2", "original")).write_bytes(b"damaged")
    answer = DiceOfLabels({})({}, store)
    assert set(answer["scores"]) == {"ct"} and set(answer["left_out"]) == {"ct2"}
    assert answer["left_out"]["ct2"].endswith(".")


def test_without_labels_there_is_no_mean(store: SamanticDatastore) -> None:
    answer = DiceOfLabels({})({}, store)
    assert (answer["images"], answer["mean"], answer["scores"]) == (0, None, {})


def test_an_unknown_model_is_refused_with_those_there_are(store: SamanticDatastore, tmp_path: Path) -> None:
    with pytest.raises(HTTPException, match="auto") as refused:
        DiceOfLabels({"auto": Automatic(tmp_path)})({"model": "segsam"}, store)
    assert refused.value.status_code == 422
