from __future__ import annotations

import numpy as np
import pytest

from samantic.skinphoto.classes import LESION
from samantic.skinphoto.classifier import CropClassifierOptions, LabelledPicture, compared, fit_classifier
from samantic.skinphoto.classifier.synthetic_classes import synthetic_cases
from samantic.training import FitOptions, TrainingError

OPTIONS = CropClassifierOptions(side=32, fit=FitOptions(steps=30, batch_size=8, learning_rate=3e-3))


def pictures(name: str, count: int, told_apart: bool = True) -> list[LabelledPicture]:
    """Dark pictures of the disease and light ones of others, or noise that says nothing."""
    random = np.random.default_rng(len(name))
    found = []
    for number in range(count):
        level = (60 if number % 2 else 190) if told_apart else 128
        image = (level + random.normal(0, 20, (40, 30, 3))).clip(0, 255).astype(np.uint8)
        found.append(LabelledPicture(f"{name}{number}", image, number % 2 == 1))
    return found


def test_what_can_be_told_apart_is_and_photographs_without_a_crop_count_as_wrong():
    test = pictures("test", 12)
    diseased = {one.photograph: one.is_disease for one in test}
    result = compared(
        {"originals": pictures("train", 16), "crops": pictures("train", 16)},
        {"originals": test, "crops": [one for one in test if not one.is_disease]},
        diseased,
        OPTIONS,
    )
    originals, crops = result.results
    assert originals.sensitivity.mean > 0.8 and originals.specificity.mean > 0.8 and originals.answered == 1
    assert crops.sensitivity.mean == 0 and crops.answered == 0.5
    assert "| crops | " in result.table() and "50%" in result.table()


def test_a_photograph_that_was_learned_from_is_not_tested_on():
    some = pictures("one", 4)
    with pytest.raises(ValueError, match="'one0' is learned from and tested on"):
        compared({"originals": some}, {"originals": some}, {"one0": False}, OPTIONS)


def test_a_single_class_teaches_nothing():
    with pytest.raises(TrainingError, match="of the disease and of others"):
        fit_classifier([one for one in pictures("one", 4) if one.is_disease], OPTIONS)


def test_synthetic_cases_alternate_show_a_lesion_and_are_the_same_again(lesions):
    cases, again = (synthetic_cases(lesions, 6, 3, (64, 80), "case") for _ in range(2))
    assert [case.is_disease for case in cases] == [False, True] * 3
    assert all((case.composite.labels == LESION).mean() >= 0.01 for case in cases)
    assert len({case.name for case in cases}) == 6
    for one, other in zip(cases, again, strict=True):
        np.testing.assert_array_equal(one.composite.image, other.composite.image)
