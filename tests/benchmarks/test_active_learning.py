from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from samantic.segsam import SegSam, SegSamConfig
from samantic.segsam.checkpoint import save_network
from samantic.segsam.manifest import TrainingManifest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
OF_ITS_FOLDER = ("active_learning", "learning_curves", "results", "servers")


@pytest.fixture(scope="module")
def active_learning() -> Iterator[ModuleType]:
    """The benchmark, imported as a script of its folder would be."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield importlib.import_module("active_learning")
    for name in OF_ITS_FOLDER:
        sys.modules.pop(name, None)


@pytest.fixture
def curves(active_learning: ModuleType) -> ModuleType:
    return sys.modules[active_learning.curves_of.__module__]


@pytest.fixture
def weights(tmp_path: Path) -> Callable[..., Path]:
    """Writes a checkpoint with a manifest, or with none."""

    def write(images: dict[str, list[str]] | None, classes: tuple[str, ...] = ("liver",)) -> Path:
        path = tmp_path / "weights.safetensors"
        manifest = None if images is None else TrainingManifest.of(images)
        save_network(SegSam(SegSamConfig(classes)), path, manifest=manifest)
        return path

    return write


@pytest.fixture
def a_round(curves: ModuleType) -> Callable[..., Any]:
    """A round whose two structures have the same Dice in its one test volume."""

    def make(seed: int, arm: str, labels: int, dice: float, version: str | None = "0001") -> Any:
        chosen = tuple(f"image_{number}" for number in range(labels))
        return curves.Round(seed, arm, labels, chosen, version, ((dice, dice),), {"train": 1.0})

    return make


def test_weights_that_learned_from_other_sets_are_taken(active_learning: ModuleType, weights: Callable) -> None:
    active_learning.check_never_seen(weights({"isic2017": ["ISIC_1"], "ct": ["example_ct"]}))


def test_weights_that_do_not_say_what_they_saw_are_refused(active_learning: ModuleType, weights: Callable) -> None:
    with pytest.raises(active_learning.NotUnseenError, match="no training manifest"):
        active_learning.check_never_seen(weights(None))


@pytest.mark.parametrize("images", [{"msd_hippocampus": ["x_1"]}, {"Hippocampus": []}, {"mr": ["hippocampus_003"]}])
def test_weights_that_saw_a_hippocampus_are_refused(
    active_learning: ModuleType, weights: Callable, images: dict[str, list[str]]
) -> None:
    with pytest.raises(active_learning.NotUnseenError, match="shows the hippocampus"):
        active_learning.check_never_seen(weights({"isic2017": ["a"], **images}))


def test_weights_that_know_the_class_are_refused(active_learning: ModuleType, weights: Callable) -> None:
    with pytest.raises(active_learning.NotUnseenError, match="knows the class hippocampus_anterior"):
        active_learning.check_never_seen(weights({"ct": ["a"]}, ("liver", "hippocampus_anterior")))


def test_weights_without_the_classes_are_measured_as_finding_nothing(
    active_learning: ModuleType, weights: Callable
) -> None:
    import numpy as np

    from samantic.imaging import Volume
    from samantic.segsam import SegSamPredictor

    predictor = SegSamPredictor.from_checkpoint(weights({"ct": ["a"]}), device="cpu")
    volume = Volume(np.zeros((8, 9, 5), np.int16), np.eye(4), "MR")
    labels = active_learning._segmented(predictor, volume)
    assert labels.shape == (8, 9, 5) and not labels.any()


def test_rounds_come_back_as_they_were_and_half_a_line_is_no_round(
    curves: ModuleType, a_round: Callable, tmp_path: Path
) -> None:
    path = tmp_path / "rounds.jsonl"
    assert curves.read_rounds(path) == []
    written = [a_round(1, "start", 5, 0.4), a_round(1, "random", 10, 0.5, None)]
    for one in written:
        curves.append_round(path, one)
    with path.open("a") as file:
        file.write('{"seed": 1, "arm": "rand')
    assert curves.read_rounds(path) == written
    assert curves.finished_of(written, 1, "random") == {10: written[1]}


def test_the_area_is_the_mean_height_over_the_numbers_of_labels(curves: ModuleType, a_round: Callable) -> None:
    rounds = [a_round(1, "start", 5, 0.0), a_round(1, "random", 10, 0.4), a_round(1, "random", 20, 0.6)]
    made = curves.curves_of(rounds, (5, 10, 20), (1,), ("random",))
    assert made.dice == {"random": {1: (0.0, 0.4, 0.6)}}
    assert made.area("random", 1) == pytest.approx((5 * 0.2 + 10 * 0.5) / 15)


def test_a_missing_round_is_named(curves: ModuleType, a_round: Callable) -> None:
    with pytest.raises(ValueError, match="arm random, seed 1 with 10 labels is missing"):
        curves.curves_of([a_round(1, "start", 5, 0.0)], (5, 10), (1,), ("random",))


def test_the_table_holds_areas_and_paired_differences_and_the_picture_is_drawn(
    curves: ModuleType, a_round: Callable, tmp_path: Path
) -> None:
    rounds = [a_round(seed, "start", 5, 0.1 * seed) for seed in (1, 2)]
    for seed in (1, 2):
        rounds.append(a_round(seed, "random", 10, 0.1 * seed + 0.2))
        rounds.append(a_round(seed, "hybrid", 10, 0.1 * seed + 0.3))
    made = curves.curves_of(rounds, (5, 10), (1, 2), ("random", "hybrid"))
    random_row, hybrid_row = curves.table(made).splitlines()[2:]
    assert random_row.startswith("| random | 0.150 | 0.350 | 0.250 (")
    assert hybrid_row.endswith("| +0.050 (+0.050 to +0.050) |")
    curves.draw(made, tmp_path / "pictures" / "curves.png")
    assert (tmp_path / "pictures" / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_a_folder_of_other_settings_is_not_continued(active_learning: ModuleType, tmp_path: Path) -> None:
    one = active_learning.Settings("aa", (5, 10), (1,), ("random",), 90, 5, 40, {"epochs": 8})
    active_learning._check_same_settings(tmp_path / "settings.json", one)
    active_learning._check_same_settings(tmp_path / "settings.json", one)
    other = active_learning.Settings("bb", (5, 10), (1,), ("random",), 90, 5, 40, {"epochs": 8})
    with pytest.raises(SystemExit, match="other settings"):
        active_learning._check_same_settings(tmp_path / "settings.json", other)
    assert json.loads((tmp_path / "settings.json").read_text())["weights_hash"] == "aa"
