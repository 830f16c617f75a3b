"""The infer task of a student, with a tiny one that has learned to find dark spots."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import torch
from fastapi import HTTPException
from PIL import Image

from samantic.app.lib.infers.student import Student
from samantic.datasets.labelled_view import LabelledView
from samantic.evaluation import dice
from samantic.segsam.cancelling import Cancelled
from samantic.student import MambaStudent, StudentConfig, StudentPredictor
from samantic.student.training import Lessons, StudentSettings, fit_student
from samantic.training import FitOptions

Views = Callable[..., list[LabelledView]]
TINY = StudentConfig(side=32, fold=2, widths=(8, 16), mixers=(0, 1), head_width=8, state=4)


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory, lesion_views: Views) -> Student:
    run = tmp_path_factory.mktemp("student")
    options = FitOptions(steps=40, batch_size=4, learning_rate=5e-3, average_decay=0.9)
    fit_student(StudentSettings(TINY, Lessons.none(), fit=options), lesion_views(10), (), run)
    predictor = StudentPredictor.load(run / "student.safetensors", "cpu")
    return Student(lambda: predictor, "student_dermoscopy")


@pytest.fixture
def for_volumes() -> Student:
    torch.manual_seed(1)
    config = StudentConfig(("liver", "spleen"), "mr", (0, 1, 2), 32, 2, (8, 16), (0, 1), 2, 8, 4)
    predictor = StudentPredictor(MambaStudent(config), "random", "cpu")
    return Student(lambda: predictor)


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where answers are written to."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def spot(lesion_views: Views, tmp_path: Path) -> tuple[Path, np.ndarray]:
    view = lesion_views(1, seed=2)[0]
    Image.fromarray(view.image).save(tmp_path / "spot.png")
    return tmp_path / "spot.png", view.labels == 1


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    array = np.random.default_rng(0).integers(0, 900, (14, 18, 12)).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(array, np.diag([-1.0, -1.0, 2.0, 1.0])), tmp_path / "scan.nii.gz")
    return tmp_path / "scan.nii.gz"


def ask(task: Student, image: Path, **params: Any) -> tuple[Path, dict[str, Any]]:
    file, result = task({"image": str(image), "model": "student", **params})
    assert file is not None
    json.dumps(result, allow_nan=False)
    return Path(file), result


def test_info_names_the_classes_that_are_served(task: Student, for_volumes: Student):
    assert task.info()["labels"] == ["skin_lesion"] and for_volumes.info()["labels"] == ["liver", "spleen"]
    json.dumps(task.info())


def test_a_photograph_gives_a_png_with_the_lesion_and_how_sure_it_is(task: Student, spot):
    image, truth = spot
    path, result = ask(task, image)
    mask = np.asarray(Image.open(path))
    assert path.suffix == ".png" and dice(mask == 1, truth) > 0.7
    (structure,) = result["structures"]
    assert (structure["class"], structure["value"], structure["voxels"]) == ("skin_lesion", 1, int(mask.sum()))
    x0, x1, y0, y1, z0, z1 = structure["extent"]
    assert mask[y0:y1, x0:x1].sum() == mask.sum() and (z0, z1) == (0, 1)
    assert mask[y0].any() and mask[y1 - 1].any() and mask[:, x0].any() and mask[:, x1 - 1].any()
    assert 0.5 < structure["confidence"] <= 1 and 0 < result["border_uncertainty"] < 1
    assert result["model"] == "student_dermoscopy" and set(result["latencies"]) >= {"read", "segment", "write", "total"}


def test_confidence_and_uncertainty_are_maps_of_fractions(task: Student, spot):
    confidence = np.asarray(Image.open(ask(task, spot[0], map="confidence")[0])) / 65535
    uncertainty = np.asarray(Image.open(ask(task, spot[0], map="uncertainty")[0])) / 65535
    assert confidence.min() > 0.3 and np.corrcoef(confidence.ravel(), uncertainty.ravel())[0, 1] < -0.8
    path, _ = ask(task, spot[0], map="uncertainty", result_extension=".nii.gz")
    np.testing.assert_allclose(np.asarray(nibabel.load(path).dataobj)[:, :, 0].T, uncertainty, atol=1e-3)


def test_a_volume_gives_labels_of_its_own_grid_and_tells_how_far_it_is(for_volumes: Student, scan: Path):
    seen: list[tuple[int, int]] = []
    path, result = for_volumes.answer({"image": str(scan)}, on_progress=lambda *done: seen.append(done))
    assert path is not None
    written = nibabel.load(path)
    assert written.shape == (14, 18, 12) and np.allclose(written.affine, nibabel.load(scan).affine)
    assert seen[-1] == (44, 44) and result["label_names"] == {"liver": 1, "spleen": 2}
    along_one = for_volumes.answer({"image": str(scan), "axis": 2}, on_progress=lambda *done: seen.append(done))[1]
    assert seen[-1] == (12, 12) and along_one["empty"] is (along_one["extent"] is None)


def test_a_request_that_nobody_waits_for_is_stopped(for_volumes: Student, scan: Path):
    with pytest.raises(Cancelled):
        for_volumes.answer({"image": str(scan)}, is_cancelled=lambda: True)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"foreground": [[3, 4, 5]]}, "is a prompt"),
        ({"slice": 3}, "the whole image"),
        ({"axis": 3}, "must be 0, 1 or 2"),
        ({"classes": ["skin_lesion"]}, "skin_lesion"),
        ({"map": "attention"}, "map"),
    ],
)
def test_what_a_student_cannot_do_is_refused_with_a_sentence(
    for_volumes: Student, scan: Path, params: dict[str, Any], message: str
):
    with pytest.raises(HTTPException, match=message) as refused:
        for_volumes({"image": str(scan), **params})
    assert refused.value.status_code == 422


def test_images_of_another_kind_are_refused(task: Student, for_volumes: Student, spot, scan: Path):
    with pytest.raises(HTTPException, match="is no photograph in colour"):
        task({"image": str(scan)})
    with pytest.raises(HTTPException, match="is no volume without colour"):
        for_volumes({"image": str(spot[0])})
