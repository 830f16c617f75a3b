from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from scipy import ndimage

from samantic.besadiff.dermosegdiff import DermoSegDiff, DermoSegDiffConfig
from samantic.besadiff.refiner import AcceptanceRules, MaskRefiner
from samantic.besadiff.segmenter import LesionSegmenter
from samantic.evaluation import intersection_over_union
from samantic.segsam import SegSamPredictor


def test_a_coarse_mask_becomes_the_lesion(predictor, segmenter, image, lesion) -> None:
    coarse = ndimage.binary_dilation(lesion, iterations=3)
    refined = MaskRefiner(predictor, segmenter).refine(image, coarse)
    assert refined.accepted, refined.reasons
    assert intersection_over_union(refined.mask, lesion) > 0.97
    assert refined.scores["iou_with_coarse"] == pytest.approx(intersection_over_union(refined.mask, coarse))
    assert refined.scores["area_share"] == pytest.approx(lesion.mean(), abs=0.005)


def test_probabilities_serve_as_a_coarse_mask(predictor, segmenter, image, lesion) -> None:
    soft = ndimage.gaussian_filter(lesion.astype(np.float32), 3)
    assert MaskRefiner(predictor, segmenter).refine(image, soft).accepted


def test_every_decision_is_in_the_record(predictor, segmenter, image, lesion) -> None:
    record = json.loads(json.dumps(MaskRefiner(predictor, segmenter).refine(image, lesion).to_json()))
    assert record["accepted"] is True
    assert record["reasons"] == []
    assert set(record["scores"]) == {
        "iou_with_coarse",
        "predicted_iou",
        "agreement",
        "mean_variance",
        "boundary_confidence",
        "area_share",
    }
    assert record["prompts"]["inside_xy"][0] == [44, 30]
    assert [one["prompts"] for one in record["candidates"]] == ["mask", "mask + inside", "mask + outside"]


def test_an_empty_coarse_mask_is_rejected_with_the_reason(predictor, segmenter, image) -> None:
    refined = MaskRefiner(predictor, segmenter).refine(image, np.zeros(image.shape[:2]))
    assert refined.reasons == ("The coarse mask is empty.",)
    assert not refined.mask.any()


def test_where_sam_finds_nothing_the_mask_is_rejected(predictor, segmenter, image, lesion) -> None:
    refined = MaskRefiner(predictor, segmenter).refine(np.full_like(image, 255), lesion)
    assert refined.reasons == ("SAM finds nothing where the coarse mask is.",)


def test_a_mask_far_from_the_coarse_one_is_rejected(predictor, segmenter, image, lesion) -> None:
    refined = MaskRefiner(predictor, segmenter).refine(image, np.roll(lesion, 12, axis=1))
    assert not refined.accepted
    assert "overlaps with the coarse one" in refined.reasons[0]


def test_a_segmenter_that_sees_another_lesion_rejects_the_mask(predictor, segmenter, image, lesion) -> None:
    segmenter.mask = np.roll(lesion, 20, axis=0)
    refined = MaskRefiner(predictor, segmenter).refine(image, lesion)
    assert any("SAM and the diffusion agree" in reason for reason in refined.reasons)


def test_the_rules_that_are_passed_in_decide(predictor, segmenter, image, lesion) -> None:
    strict = MaskRefiner(predictor, segmenter, AcceptanceRules(largest_mean_variance=0.001))
    assert not strict.refine(image, lesion).accepted


def test_seed_and_sampling_options_reach_the_segmenter(predictor, segmenter, image, lesion) -> None:
    MaskRefiner(predictor, segmenter, noise_share=0.3, members=2, steps=6).refine(image, lesion, seed=17)
    assert segmenter.seeds == [17]
    assert segmenter.options == [(0.3, 2, 6)]


def test_other_shapes_are_refused_with_a_sentence(predictor, segmenter, image, lesion) -> None:
    refiner = MaskRefiner(predictor, segmenter)
    with pytest.raises(ValueError, match=r"The coarse mask is \(10, 80\), but its image is \(64, 80\)"):
        refiner.refine(image, lesion[:10])
    with pytest.raises(ValueError, match="An image is"):
        refiner.refine(image[..., 0], lesion)


def test_the_real_networks_fit_together_and_repeat_themselves(image, lesion) -> None:
    torch.manual_seed(0)
    network = DermoSegDiff(
        DermoSegDiffConfig(
            mask_side=32,
            image_side=32,
            mask_width=8,
            mask_multipliers=(1, 2),
            image_width=8,
            image_multipliers=(1, 2),
            image_branch="time_free",
            prediction="sample",
        )
    )
    refiner = MaskRefiner(
        SegSamPredictor.from_bundled(device="cpu"), LesionSegmenter(network, device="cpu"), members=2, steps=2
    )
    first, second = (refiner.refine(image, lesion, seed=3) for _ in range(2))
    assert first.mask.shape == lesion.shape
    assert np.array_equal(first.probability, second.probability)
    assert first.to_json() == second.to_json()
