from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from samantic.segsam import calibrate, calibration_examples, outlier_pictures
from samantic.segsam.outlier_pictures import (
    SIDE,
    cells,
    dead_leaves,
    outlier_picture,
    power_law_noise,
    soft_shapes,
    spoilt_picture,
    stripes,
)


@pytest.fixture(scope="module")
def drawn() -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [outlier_picture(random) for _ in range(40)]


def test_every_picture_is_one_that_a_predictor_reads(drawn: list[np.ndarray]):
    for picture in drawn:
        assert picture.shape == (256, 256, 3)
        assert picture.dtype == np.uint8
        assert picture.flags["C_CONTIGUOUS"]


def test_the_same_generator_draws_the_same_picture(drawn: list[np.ndarray]):
    np.testing.assert_array_equal(outlier_picture(np.random.default_rng(0)), drawn[0])


def test_pictures_differ_and_are_seldom_flat(drawn: list[np.ndarray]):
    assert len({picture.tobytes() for picture in drawn}) == len(drawn)
    assert np.mean([picture.std() > 10 for picture in drawn]) > 0.8


def test_some_are_in_greys_and_some_in_colours(drawn: list[np.ndarray]):
    grey = [bool((np.ptp(picture.astype(int), axis=2) == 0).all()) for picture in drawn]
    assert 3 < sum(grey) < len(drawn) - 3


@pytest.mark.parametrize("pattern", [power_law_noise, stripes, cells, soft_shapes])
def test_a_pattern_is_finite_and_has_structure(pattern: Callable[[np.random.Generator], np.ndarray]):
    for seed in range(5):
        values = pattern(np.random.default_rng(seed))
        assert values.shape == (SIDE, SIDE)
        assert np.isfinite(values).all()
        assert np.ptp(values) > 0


def test_leaves_have_colours_between_0_and_1():
    picture = dead_leaves(np.random.default_rng(0))
    assert picture.shape == (SIDE, SIDE, 3)
    assert 0 <= picture.min() < picture.max() <= 1


@pytest.mark.parametrize("module", [calibrate, calibration_examples, outlier_pictures])
def test_nothing_that_the_benchmark_shows_takes_part_in_the_calibration(module):
    """`benchmarks/strange_pictures.py` shows photographs of scikit-image and scikit-learn, and chest-like phantoms."""
    imported = set()
    for node in ast.walk(ast.parse(Path(module.__file__).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported |= {f"{node.module}.{alias.name}" for alias in node.names}
    assert imported
    forbidden = ("skimage", "sklearn", "chest", "phantoms", "dicom_ct", "evaluation", "imread")
    assert [name for name in imported if any(word in name for word in forbidden)] == []


class TestSpoiltPicture:
    @pytest.fixture(scope="class")
    def coloured(self) -> np.ndarray:
        return np.random.default_rng(1).integers(0, 256, size=(60, 90, 3), dtype=np.uint8)

    def test_no_way_leaves_the_picture_as_it_was(self, coloured: np.ndarray):
        for seed in range(20):
            spoilt = spoilt_picture(coloured, np.random.default_rng(seed))
            assert spoilt.dtype == np.uint8 and spoilt.shape[2] == 3 and spoilt.flags["C_CONTIGUOUS"]
            assert spoilt.shape != coloured.shape or (spoilt != coloured).mean() > 0.5

    def test_colours_become_greys_in_some_and_greys_never_stay_as_they_were(self, coloured: np.ndarray):
        random = np.random.default_rng(0)
        spoilt = [spoilt_picture(coloured, random) for _ in range(30)]
        assert any((np.ptp(picture.astype(int), axis=2) == 0).all() for picture in spoilt)
        grey = np.repeat(coloured[..., :1], 3, axis=2)
        for _ in range(20):
            result = spoilt_picture(grey, random)
            assert result.shape != grey.shape or not np.array_equal(result, grey)

    def test_pieces_hold_the_pixels_of_the_picture_in_another_order(self):
        picture = np.zeros((256, 256, 3), dtype=np.uint8)
        picture[:128] = 200
        results = [spoilt_picture(picture, np.random.default_rng(seed)) for seed in range(20)]
        mixed = [
            one for one in results if set(np.unique(one)) == {0, 200} and one.shape[0] < 256 + 1 and one[0].std() > 0
        ]
        assert mixed and all(0.4 < (one == 200).mean() < 0.6 for one in mixed)
