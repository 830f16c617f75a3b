from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from samantic.besadiff.refiner import CoarsePrompts, PromptOptions, candidates_of
from samantic.segsam import SegSamPredictor, ViewPrompts


@pytest.fixture
def prompts(lesion: np.ndarray) -> CoarsePrompts:
    prompts = CoarsePrompts.of(lesion, PromptOptions())
    assert prompts is not None
    return prompts


def test_the_best_candidate_has_the_largest_expected_iou_times_agreement(predictor, image, prompts) -> None:
    found = candidates_of(predictor, image, prompts, ("mask + inside", "mask"))
    assert [(one.variant, round(one.predicted_iou, 2)) for one in found] == [("mask", 0.9), ("mask + inside", 0.8)]
    assert found[0].score == pytest.approx(0.9)
    assert found[0].to_json() == {"prompts": "mask", "predicted_iou": 0.9, "iou_with_coarse": 1.0, "score": 0.9}


def test_an_answer_of_another_place_scores_less(predictor, image, prompts) -> None:
    class Elsewhere(type(predictor)):
        def decode(self, features: np.ndarray, asked: Sequence[ViewPrompts]) -> list:
            there, here = super().decode(features, asked)
            shifted = np.roll(there.mask, 12, axis=1)
            return [type(there)(shifted, there.mask_logits, 0.99), here]

    found = candidates_of(Elsewhere(), image, prompts, ("mask", "mask + outside"))
    assert [one.variant for one in found] == ["mask + outside", "mask"]


def test_empty_answers_are_left_out(predictor, image, prompts) -> None:
    assert candidates_of(predictor, np.full_like(image, 255), prompts, ("mask",)) == []


def test_the_bundled_model_finds_a_dark_spot_on_pale_skin(image, lesion, prompts) -> None:
    found = candidates_of(SegSamPredictor.from_bundled(device="cpu"), image, prompts, PromptOptions().variants)
    assert len(found) == 3
    assert found[0].iou_with_coarse > 0.8
    assert found[0].probability.shape == lesion.shape
    assert np.array_equal(found[0].probability > 0.5, found[0].mask)
