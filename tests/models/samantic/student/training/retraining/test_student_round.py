"""A round from first to last: a tiny student learns from labelled images and from those without a label."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from samantic.datasets.labelled_view import LabelledView
from samantic.datasets.studies import LabelledImage
from samantic.imaging import Volume, write_volume
from samantic.segsam import TrainingManifest
from samantic.segsam.cancelling import Cancelled
from samantic.student import MambaStudent, StudentConfig, StudentPredictor, load_student, save_student
from samantic.student.training.retraining import StudentRetrainOptions, retrain
from samantic.training import SettingsError, TrainingError

OPTIONS = StudentRetrainOptions(epochs=2, steps_per_epoch=12, batch_size=4, learning_rate=5e-3, unlabelled=2)
ONE_STEP = replace(OPTIONS, epochs=1, steps_per_epoch=1)
Views = Callable[..., list[LabelledView]]


def written(path: Path, config: StudentConfig, learned: tuple[str, ...] = ()) -> Path:
    torch.manual_seed(0)
    save_student(
        MambaStudent(config), path, manifest=TrainingManifest.of({"isic2017": learned}), notes={"made": "here"}
    )
    return path


@pytest.fixture
def start(tmp_path: Path, tiny_config: StudentConfig) -> Path:
    return written(tmp_path / "start.safetensors", tiny_config, ("spot00", "spot01"))


@pytest.fixture
def images(tmp_path: Path, lesion_views: Views) -> list[LabelledImage]:
    """Eight photographs with labels as files."""
    found = []
    for view in lesion_views(8):
        image, label = tmp_path / f"{view.image_id}.png", tmp_path / f"{view.image_id}_label.png"
        Image.fromarray(view.image).save(image)
        Image.fromarray((view.labels * 3).astype(np.uint8)).save(label)
        found.append(LabelledImage(view.image_id, image, label, {3: "skin_lesion"}))
    return found


@pytest.fixture
def unlabelled(tmp_path: Path, lesion_views: Views) -> list[Path]:
    """Three photographs, and a picture without colour, which is nothing for this student."""
    paths = []
    for view in lesion_views(3, seed=3):
        paths.append(tmp_path / f"new_{view.image_id}.png")
        Image.fromarray(view.image).save(paths[-1])
    Image.new("L", (40, 40), 90).save(tmp_path / "grey.png")
    return [*paths, tmp_path / "grey.png"]


def test_it_finds_more_of_what_was_held_out_than_before_and_remembers_what_it_saw(
    start: Path, images: list[LabelledImage], unlabelled: list[Path], teacher, lesion_views: Views, tmp_path: Path
) -> None:
    reports = []
    learned = retrain(start, images, unlabelled, OPTIONS, teacher=teacher, on_epoch=reports.append)
    assert learned.is_better_or_equal and learned.after["mean_dice"] > learned.before["mean_dice"] + 0.1
    assert learned.after["dice"] == {"skin_lesion": learned.after["mean_dice"]}
    assert [report.epoch for report in reports] == [1, 2] and learned.unlabelled == 3
    assert learned.held_out and not set(learned.held_out) & {"spot00", "spot01", *learned.learned_from}
    learned.save(tmp_path / "learned.safetensors")
    stored = load_student(tmp_path / "learned.safetensors")
    assert stored.manifest.images == {
        "isic2017": ("spot00", "spot01"),
        "studies": learned.learned_from,
        "elsewhere": ("teacher's picture",),
    }
    assert stored.notes == {"made": "here"}
    view = lesion_views(1, seed=9)[0]
    assert StudentPredictor(stored.network, device="cpu").segment(view.image).labels.any()


def test_it_learns_without_a_teacher_and_without_unlabelled_images_as_well(
    start: Path, images: list[LabelledImage]
) -> None:
    learned = retrain(start, images, (), OPTIONS)
    assert learned.after["mean_dice"] > learned.before["mean_dice"]


def test_the_same_seed_gives_the_same_weights(start: Path, images: list[LabelledImage], teacher) -> None:
    options = replace(OPTIONS, epochs=1, steps_per_epoch=3)
    one, other = (retrain(start, images, (), options, teacher=teacher).network.state_dict() for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_what_cannot_be_used_is_left_out_with_a_sentence(
    start: Path, images: list[LabelledImage], tmp_path: Path
) -> None:
    Image.new("L", (40, 40), 90).save(tmp_path / "grey.png")
    Image.new("L", (40, 40), 1).save(tmp_path / "grey_label.png")
    grey = LabelledImage("grey", tmp_path / "grey.png", tmp_path / "grey_label.png", {1: "skin_lesion"})
    hair = replace(images[7], image_id="hair", class_of_value={3: "hair"})
    synthetic = replace(images[6], is_synthetic=True)
    learned = retrain(start, [*images[:6], synthetic, grey, hair], (), ONE_STEP)
    said = " ".join(learned.left_out)
    assert "1 synthetic images are left out" in said
    assert "'grey' is left out: it is no photograph in colour" in said
    assert "'hair' is left out: its label does not say where skin_lesion is" in said
    with pytest.raises(TrainingError, match="There is nothing to learn from: 'grey' is left out"):
        retrain(start, [grey], (), ONE_STEP)


def test_slices_of_a_volume_are_learned_along_the_students_axes(tmp_path: Path) -> None:
    config = StudentConfig(("front", "back"), "mr", (0, 1, 2), 32, 2, (8, 16), (0, 1), 2, 8, 4)
    start = written(tmp_path / "start.safetensors", config)
    random, images = np.random.default_rng(0), []
    for number in range(3):
        labels = np.zeros((16, 20, 18), np.uint8)
        labels[4:12, 3:10, 5:13], labels[4:12, 10:16, 5:13] = 1, 2
        array = (labels * 300 + random.normal(100, 10, labels.shape)).astype(np.int16)
        image, label = tmp_path / f"v{number}.nii.gz", tmp_path / f"v{number}_label.nii.gz"
        write_volume(image, Volume(array, np.eye(4), "MR"))
        write_volume(label, Volume(labels, np.eye(4), "MR"))
        images.append(LabelledImage(f"v{number}", image, label, {1: "front", 2: "back"}))
    learned = retrain(start, images, (), replace(OPTIONS, steps_per_epoch=40, slices=15, distillation=0.0, guesses=0.0))
    assert set(learned.after["dice"]) == {"front", "back"}
    assert learned.after["mean_dice"] > learned.before["mean_dice"]
    assert len(learned.learned_from) + len(learned.held_out) == 3


def test_a_round_that_nobody_wants_any_more_ends_at_once(start: Path, images: list[LabelledImage], teacher) -> None:
    asked = []

    def tired() -> bool:
        asked.append(1)
        return len(asked) > 12

    with pytest.raises(Cancelled):
        retrain(start, images, (), OPTIONS, teacher=teacher, is_cancelled=tired)
    assert len(asked) == 13


@pytest.mark.parametrize("values", [{"epochs": 0}, {"validation_share": 1.0}, {"guesses": -1}, {"learning_rate": 0}])
def test_options_out_of_range_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(SettingsError):
        StudentRetrainOptions(**values)  # type: ignore[arg-type]
