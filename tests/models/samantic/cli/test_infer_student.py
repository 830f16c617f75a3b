"""`samantic infer --model FILE` with a tiny student, and `samantic train student`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from PIL import Image

from samantic.datasets.labelled_view import LabelledView
from samantic.evaluation import dice
from samantic.segsam import TrainingManifest
from samantic.student import MambaStudent, StudentConfig, save_student
from samantic.student.training import Lessons, StudentSettings, fit_student
from samantic.training import FitOptions

Run = Callable[..., tuple[int, str]]
TINY = StudentConfig(side=32, fold=2, widths=(8, 16), mixers=(0, 1), head_width=8, state=4)


@pytest.fixture(scope="module")
def finds_spots(tmp_path_factory: pytest.TempPathFactory, lesion_views: Callable[..., list[LabelledView]]) -> Path:
    run = tmp_path_factory.mktemp("run")
    options = FitOptions(steps=40, batch_size=4, learning_rate=5e-3, average_decay=0.9)
    fit_student(StudentSettings(TINY, Lessons.none(), fit=options), lesion_views(10), (), run)
    return run / "student.safetensors"


@pytest.fixture
def spot(tmp_path: Path, lesion_views: Callable[..., list[LabelledView]]) -> tuple[Path, np.ndarray]:
    view = lesion_views(1, seed=2)[0]
    Image.fromarray(view.image).save(tmp_path / "mole.png")
    return tmp_path / "mole.png", view.labels == 1


def test_a_photograph_gives_the_mask_the_picture_and_how_sure_it_is(run: Run, finds_spots: Path, spot, tmp_path: Path):
    image, truth = spot
    mask, overlay = tmp_path / "mask.png", tmp_path / "overlay.png"
    code, output = run("infer", image, "--model", finds_spots, "-o", mask, "--overlay", overlay)
    assert code == 0, output
    assert "skin lesion: " in output.lower() and "confidence" in output and "uncertainty at the borders" in output
    assert overlay.exists() and dice(np.asarray(Image.open(mask)) == 1, truth) > 0.7


def test_a_volume_gives_a_mask_of_all_its_slices(run: Run, ct: Path, tmp_path: Path):
    torch.manual_seed(0)
    config = StudentConfig(("liver", "spleen"), "ct", (0, 1, 2), 32, 2, (8, 16), (0, 1), 2, 8, 4)
    save_student(MambaStudent(config), tmp_path / "s.safetensors", manifest=TrainingManifest())
    mask = tmp_path / "mask.nii.gz"
    code, output = run("infer", ct, "--model", tmp_path / "s.safetensors", "-o", mask)
    assert code == 0, output
    labels = np.asarray(nibabel.load(mask).dataobj)
    assert labels.shape == (48, 56, 10) and set(np.unique(labels)) <= {0, 1, 2}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--point", "3,4"), "takes no points"),
        (("--slice", "0"), "segments the whole image"),
        (("--classes", "liver"), "does not know the class 'liver'"),
    ],
)
def test_what_a_student_cannot_do_is_refused(
    run: Run, finds_spots: Path, spot, arguments: tuple[str, ...], message: str
):
    code, output = run("infer", spot[0], "--model", finds_spots, *arguments)
    assert code == 2 and message in output


def test_images_and_files_that_are_none_of_a_students_are_refused(
    run: Run, finds_spots: Path, spot, ct: Path, tmp_path: Path
):
    code, output = run("infer", ct, "--model", finds_spots)
    assert code == 2 and "is no photograph in colour" in output
    (tmp_path / "no.safetensors").write_text("text")
    code, output = run("infer", spot[0], "--model", tmp_path / "no.safetensors")
    assert code == 2 and "cannot be read as a safetensors file" in output
    code, output = run("infer", spot[0], "--model", "student-of-nobody")
    assert code == 2 and "does not come with this package" in output


def test_training_says_plainly_what_is_wrong(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    code, output = run("train", "student", tmp_path / "run", "--model", "student-nobody")
    assert code == 2 and "no packaged student 'student-nobody'" in output
    monkeypatch.delenv("SAMANTIC_DATA", raising=False)
    code, output = run("train", "student", tmp_path / "run")
    assert code == 2 and "SAMANTIC_DATA must name the folder" in output
    (tmp_path / "own.yaml").write_text("lessons: {perturbation: -1}")
    code, output = run("train", "student", tmp_path / "run", "--config", tmp_path / "own.yaml")
    assert code == 2 and "perturbation must be 0 to 100" in output
