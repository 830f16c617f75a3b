"""A round from first to last, on pictures and labels as files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from samantic.breast import BreastReader, read_breast
from samantic.breast.training.examples import BreastExample
from samantic.breast.training.retraining import BreastRetrainOptions, RetrainedBreast, retrain
from samantic.breast.training.retraining.outcome import BreastScores
from samantic.datasets.studies import LabelledImage
from samantic.segsam.cancelling import Cancelled
from samantic.segsam.training.retraining import EpochReport, Scores
from samantic.training import SettingsError, TrainingError

OPTIONS = BreastRetrainOptions(epochs=2, steps_per_epoch=25, batch_size=6, learning_rate=4e-3)
ONE_STEP = replace(OPTIONS, epochs=1, steps_per_epoch=1)
WORDS = {"normal": "breast_lesion", "benign": "benign", "malignant": "malignant"}


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory, write_breast: Callable[..., Path]) -> Path:
    return write_breast(tmp_path_factory.mktemp("start") / "start.safetensors", learned=("benign_900",))


@pytest.fixture(scope="module")
def images(
    tmp_path_factory: pytest.TempPathFactory, breasts: Callable[..., list[BreastExample]]
) -> list[LabelledImage]:
    folder, found = tmp_path_factory.mktemp("images"), []
    for example in breasts(15):
        image, label = folder / f"{example.image_id}.png", folder / f"{example.image_id}_label.png"
        Image.fromarray(example.image[..., 0]).save(image)
        Image.fromarray((example.mask * 3).astype(np.uint8)).save(label)
        found.append(LabelledImage(example.image_id, image, label, {3: WORDS[example.image_id.split("_")[0]]}))
    return found


@pytest.fixture(scope="module")
def reports() -> list[EpochReport]:
    return []


@pytest.fixture(scope="module")
def learned(start: Path, images: list[LabelledImage], reports: list[EpochReport]) -> RetrainedBreast:
    return retrain(start, images, OPTIONS, on_epoch=reports.append)


def test_it_reads_what_was_held_out_better_than_before(learned: RetrainedBreast, reports: list[EpochReport]):
    assert learned.is_better_or_equal
    assert learned.after["mean_dice"] > learned.before["mean_dice"] + 0.1
    assert learned.after["diagnosis_loss"] < learned.before["diagnosis_loss"]
    assert [report.epoch for report in reports] == [1, 2]
    assert set(learned.after["dice"]) == {"breast_lesion"}
    assert learned.held_out and not set(learned.held_out) & set(learned.learned_from)
    assert learned.manifest.images == {"busi": ("benign_900",), "studies": learned.learned_from}


def test_the_encoder_stays_so_that_what_was_familiar_still_is(learned: RetrainedBreast, start: Path):
    before, after = read_breast(start).network.encoder.state_dict(), learned.network.encoder.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_what_is_saved_is_what_was_measured(learned: RetrainedBreast, tmp_path: Path, breasts):
    learned.save(tmp_path / "learned.safetensors")
    image = breasts(2, seed=4)[1].image
    saved = BreastReader.load(tmp_path / "learned.safetensors", "cpu").read(image)
    measured = BreastReader(learned.network, learned.calibration, device="cpu").read(image)
    np.testing.assert_array_equal(saved.probability, measured.probability)
    np.testing.assert_array_equal(saved.diagnosis_probabilities, measured.diagnosis_probabilities)
    assert read_breast(tmp_path / "learned.safetensors").manifest == learned.manifest


def test_the_same_seed_gives_the_same_weights(start: Path, images: list[LabelledImage]):
    first, second = (retrain(start, images[:6], ONE_STEP).network.state_dict() for _ in range(2))
    assert all((first[name] == second[name]).all() for name in first)


def test_a_round_that_spoils_the_weights_says_so(a_trained_breast: Path, images: list[LabelledImage]):
    spoiling = replace(ONE_STEP, steps_per_epoch=4, learning_rate=3.0, average_decay=0.0)
    assert not retrain(a_trained_breast, images, spoiling).is_better_or_equal


@pytest.mark.parametrize(
    ("dice", "loss", "no_worse"),
    [
        (0.5, 0.7, True),
        (0.6, 0.6, True),
        (0.4, 0.1, False),
        (0.9, 0.8, False),
        (0.9, float("nan"), False),
        (0.6, None, True),
    ],
)
def test_neither_masks_nor_diagnoses_may_get_worse(dice: float, loss: float | None, no_worse: bool):
    before = BreastScores(Scores(0.5, {}), 0.7)
    assert BreastScores(Scores(dice, {}), loss).is_no_worse_than(before) is no_worse


def test_what_cannot_be_used_is_left_out_and_named(start: Path, images: list[LabelledImage], tmp_path: Path):
    skin = replace(images[1], image_id="gone", image=tmp_path / "gone.png")
    nipple = replace(images[1], image_id="nipple", class_of_value={3: "nipple"})
    made_up = replace(images[2], image_id="made_up", is_synthetic=True)
    options = replace(ONE_STEP, validation_ids=frozenset({"benign_1"}))
    learned = retrain(start, [skin, nipple, made_up, *images[:4]], options)
    assert learned.left_out == (
        "1 synthetic images are left out.",
        "'gone' is left out: there is no file 'gone.png'.",
        "'nipple' is left out: its label names no lesion of the breast.",
    )
    assert learned.held_out == ("benign_1",)


def test_what_the_weights_learned_before_is_not_held_out(write_breast, images: list[LabelledImage], tmp_path: Path):
    known = tuple(image.image_id for image in images[:5])
    path = write_breast(tmp_path / "knows.safetensors", learned=known)
    assert retrain(path, images[:6], ONE_STEP).held_out == (images[5].image_id,)


def test_without_a_lesion_there_is_nothing_to_learn_from(start: Path, images: list[LabelledImage]):
    with pytest.raises(TrainingError, match=r"nothing to learn from: .* names no lesion"):
        retrain(start, [replace(images[1], class_of_value={3: "nipple"})], ONE_STEP)


@pytest.mark.parametrize("at", [0, 4, 17])
def test_it_stops_when_told_to(start: Path, images: list[LabelledImage], at: int):
    asked: list[int] = []

    def stop() -> bool:
        asked.append(1)
        return len(asked) > at

    with pytest.raises(Cancelled):
        retrain(start, images, OPTIONS, is_cancelled=stop)
    assert len(asked) == at + 1


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"most_images": 1}, {"validation_share": 1}, {"learning_rate": -1}])
def test_options_out_of_range_are_refused(wrong: dict):
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        BreastRetrainOptions(**wrong)
