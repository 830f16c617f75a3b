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
