from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from samantic.skinphoto.classes import BACKGROUND, LESION, SKIN
from samantic.skinphoto.composites import LesionPatch, draw_composite
from samantic.skinphoto.crop_rule import CropRule
from samantic.skinphoto.crop_search import Crop, CropSearch
from samantic.skinphoto.window_counts import MOST_PIXELS, WindowCounts

BENCHMARKS = Path(__file__).parents[4] / "benchmarks"


@pytest.fixture(scope="module")
def by_brute_force() -> Iterator[Callable[[np.ndarray, CropSearch], tuple[Crop, ...]]]:
    """The search of the benchmark that counts every window by itself."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield importlib.import_module("skinphoto_brute_force").crops_by_brute_force
    sys.modules.pop("skinphoto_brute_force", None)


@pytest.mark.parametrize("shape", [(40, 40), (33, 70), (71, 36), (9, 50), (1, 1)])
@pytest.mark.parametrize("seed", [0, 1])
def test_it_finds_what_brute_force_finds_in_blots(shape: tuple[int, int], seed: int, by_brute_force):
    random = np.random.default_rng(seed)
    blots = np.kron(random.integers(0, 6, (-(-shape[0] // 6), -(-shape[1] // 6))), np.ones((6, 6), int))
    labels = np.array([BACKGROUND, SKIN, SKIN, SKIN, LESION, LESION], np.uint8)[blots[: shape[0], : shape[1]]]
    search = CropSearch(CropRule(60, 10))
    assert search.crops(labels) == by_brute_force(labels, search)


def test_it_finds_what_brute_force_finds_in_composites(lesions: list[LesionPatch], by_brute_force):
    found = 0
    for number in range(6):
        labels = draw_composite(np.random.default_rng((4, number)), lesions, (60, 80)).labels
        crops = CropSearch().crops(labels)
        assert crops == by_brute_force(labels, CropSearch())
        found += len(crops)
    assert found > 5


def test_every_crop_keeps_the_rule_lies_within_and_tells_its_shares(disc):
    labels = disc()
    crops = CropSearch().crops(labels)
    assert crops
    for crop in crops:
        part = labels[crop.top : crop.top + crop.side, crop.left : crop.left + crop.side]
        assert part.shape == (crop.side, crop.side) and CropRule().accepts(part)
        assert crop.skin == (part != BACKGROUND).mean() and crop.lesion == (part == LESION).mean()


def test_the_best_come_first_overlap_little_and_are_not_too_many():
    labels = np.full((120, 160), SKIN, np.uint8)
    for left in (10, 60, 110):
        labels[40:70, left : left + 25] = LESION
    crops = CropSearch(most=3).crops(labels)
    assert len(crops) == 3
    scores = [crop.skin * crop.lesion for crop in crops]
    assert scores == sorted(scores, reverse=True)
    for one, other in combinations(crops, 2):
        width = min(one.left + one.side, other.left + other.side) - max(one.left, other.left)
        height = min(one.top + one.side, other.top + other.side) - max(one.top, other.top)
        shared = max(width, 0) * max(height, 0)
        assert shared <= 0.3 * (one.side**2 + other.side**2 - shared)


def test_of_equal_windows_the_large_one_in_the_upper_left_is_taken():
    crops = CropSearch(most=1).crops(np.full((40, 60), LESION, np.uint8))
    assert crops == (Crop(0, 0, 40, 1.0, 1.0),)


@pytest.mark.parametrize("lesion_pixels", [10, 11])
def test_a_window_with_exactly_a_tenth_lesion_is_no_crop(lesion_pixels: int):
    labels = np.full((10, 10), SKIN, np.uint8)
    labels.flat[:lesion_pixels] = LESION
    assert len(CropSearch(sides=(1.0,)).crops(labels)) == lesion_pixels - 10


@pytest.mark.parametrize("value", [BACKGROUND, SKIN])
def test_without_lesions_there_are_no_crops(value: int):
    assert CropSearch().crops(np.full((50, 60), value, np.uint8)) == ()


def test_lesions_without_enough_skin_around_give_none(disc):
    assert CropSearch().crops(disc(radius=0.08, skin_from=0.6)[:, :112]) == ()


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (np.full((4, 4), 3, np.uint8), "holds 0, 1 and 2, not 3"),
        (np.zeros((4, 4)), "must be .rows, cols. uint8"),
        (np.zeros((0, 4), np.uint8), "must be .rows, cols. uint8"),
        (np.zeros((1025, 1024), np.uint8), f"at most {MOST_PIXELS} pixels"),
    ],
)
def test_what_is_no_label_map_is_refused(labels: np.ndarray, said: str):
    with pytest.raises(ValueError, match=said):
        WindowCounts(labels)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sides": ()}, "sides of windows"),
        ({"sides": (1.5,)}, "sides of windows"),
        ({"overlap": -0.1}, "overlap of crops"),
        ({"most": 0}, "At least one crop"),
    ],
)
def test_searches_that_cannot_be_are_refused(change: dict, said: str):
    with pytest.raises(ValueError, match=said):
        replace(CropSearch(), **change)
