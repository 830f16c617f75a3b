"""A round from first to last: a tiny real network learns to find dark spots."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from samantic.besadiff.checkpoint import read_part
from samantic.besadiff.segmenter import LesionSegmenter
from samantic.besadiff.training.retraining import LesionRetrainOptions, RetrainedSegmenter, retrain, retrain_on_views
from samantic.datasets.labelled_view import LabelledView
from samantic.datasets.studies import LabelledImage
from samantic.segsam.cancelling import Cancelled
from samantic.segsam.training.retraining import EpochReport
from samantic.training import SettingsError, TrainingError

OPTIONS = LesionRetrainOptions(epochs=2, steps_per_epoch=10, batch_size=4, learning_rate=5e-3, members=2)
ONE_STEP = replace(OPTIONS, epochs=1, steps_per_epoch=1)
Views = Callable[..., list[LabelledView]]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory, write_segmenter: Callable[..., Path]) -> Path:
    return write_segmenter(tmp_path_factory.mktemp("start") / "start.safetensors", learned=("ISIC_0000001",))


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory, lesion_views: Views) -> list[LabelledImage]:
    """Ten photographs with labels as files, two of them synthetic."""
    folder = tmp_path_factory.mktemp("images")
    found = []
    for number, view in enumerate(lesion_views(10)):
        image, label = folder / f"{view.image_id}.png", folder / f"{view.image_id}_label.png"
        Image.fromarray(view.image).save(image)
        Image.fromarray((view.labels * 3).astype(np.uint8)).save(label)
        found.append(LabelledImage(view.image_id, image, label, {3: "skin_lesion"}, number >= 8))
    return found


@pytest.fixture(scope="module")
def reports() -> list[EpochReport]:
    return []


@pytest.fixture(scope="module")
def learned(start: Path, images: list[LabelledImage], reports: list[EpochReport]) -> RetrainedSegmenter:
    return retrain(start, images, OPTIONS, on_epoch=reports.append)


def test_it_finds_more_of_what_was_held_out_than_before(learned: RetrainedSegmenter, reports: list[EpochReport]):
    assert learned.is_better_or_equal
    assert learned.after["mean_dice"] > learned.before["mean_dice"] + 0.1
    assert [report.epoch for report in reports] == [1, 2]
    assert learned.after["mean_dice"] == max(report.after.mean_dice for report in reports)
    assert learned.after["dice"] == {"skin_lesion": learned.after["mean_dice"]}


def test_synthetic_pairs_are_learned_from_and_never_measured_on(learned: RetrainedSegmenter):
    assert {"spot08", "spot09"} <= set(learned.learned_from)
    assert learned.held_out and set(learned.held_out) <= {f"spot{n:02d}" for n in range(8)}
    assert not set(learned.held_out) & set(learned.learned_from)
    real = tuple(image_id for image_id in learned.learned_from if image_id < "spot08")
    expected = {"isic2017": ("ISIC_0000001",), "studies": real, "studies, synthetic": ("spot08", "spot09")}
    assert learned.manifest.images == expected


def test_what_is_saved_is_what_was_measured(learned: RetrainedSegmenter, tmp_path: Path, lesion_views: Views):
    path = tmp_path / "learned.safetensors"
    learned.save(path)
    assert read_part("segmenter", path).manifest == learned.manifest
    image = lesion_views(1, seed=4)[0].image
    saved, measured = LesionSegmenter.load(path, "cpu"), LesionSegmenter(learned.network, device="cpu")
    np.testing.assert_array_equal(saved.segment(image).probability, measured.segment(image).probability)


def test_the_same_seed_gives_the_same_weights(start: Path, images: list[LabelledImage]):
    first, second = (retrain(start, images, ONE_STEP).network.state_dict() for _ in range(2))
    assert all((first[name] == second[name]).all() for name in first)
    other = retrain(start, images, replace(ONE_STEP, seed=18)).network.state_dict()
    assert any((first[name] != other[name]).any() for name in first)


def test_a_round_that_spoils_the_weights_says_so(a_trained_segmenter: Path, lesion_views: Views):
    spoiling = replace(ONE_STEP, steps_per_epoch=4, learning_rate=2.0)
    assert not retrain_on_views(a_trained_segmenter, lesion_views(6), spoiling).is_better_or_equal


def test_what_the_weights_learned_before_under_any_name_is_not_held_out(
    write_segmenter: Callable[..., Path], tmp_path: Path, lesion_views: Views
):
    ids = tuple(f"spot{number:02d}" for number in range(5))
    path = write_segmenter(tmp_path / "knows.safetensors", learned=ids)
    assert retrain_on_views(path, lesion_views(6), ONE_STEP).held_out == ("spot05",)


def test_a_photograph_that_cannot_be_used_is_left_out_and_named(start: Path, images: list[LabelledImage], tmp_path):
    Image.new("L", (20, 20)).save(tmp_path / "gray.png")
    gray = replace(images[0], image_id="gray", image=tmp_path / "gray.png")
    gone = replace(images[0], image_id="gone", image=tmp_path / "gone.png")
    learned = retrain(start, [gray, gone, *images[1:4]], replace(ONE_STEP, validation_ids=frozenset({"spot01"})))
    assert learned.left_out == (
        "'gray' is left out: it is no photograph in colour.",
        "'gone' is left out: there is no file 'gone.png'.",
    )
    assert learned.held_out == ("spot01",) and learned.learned_from == ("spot02", "spot03")


def test_at_most_so_many_photographs_are_read(start: Path, images: list[LabelledImage]):
    learned = retrain(start, images[:8], replace(ONE_STEP, most_images=3))
    assert learned.left_out[0] == "5 of 8 photographs are left out: 3 are enough."
    assert len(learned.learned_from) + len(learned.held_out) == 3


def test_without_a_real_photograph_there_is_nothing_to_learn_from(start: Path, images: list[LabelledImage]):
    with pytest.raises(TrainingError, match="nothing to learn from: no photograph"):
        retrain(start, images[8:], ONE_STEP)


@pytest.mark.parametrize("at", [0, 4, 12])
def test_it_stops_when_told_to(start: Path, images: list[LabelledImage], at: int):
    asked = []

    def stop() -> bool:
        asked.append(1)
        return len(asked) > at

    with pytest.raises(Cancelled):
        retrain(start, images, OPTIONS, is_cancelled=stop)
    assert len(asked) == at + 1


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"synthetic_share": 1}, {"members": 21}, {"learning_rate": -1}])
def test_options_out_of_range_are_refused(wrong: dict):
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        LesionRetrainOptions(**wrong)
