from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from samantic.imaging import Volume
from samantic.sam import EmbeddingCache
from samantic.segsam import SegSamPredictor, SemanticMap
from samantic.segsam.cancelling import Cancelled
from samantic.segsam.choosing import SummaryOptions, summarise
from samantic.segsam.choosing.image_summary import plausible_region, pooled_embedding, spaced_slices


def test_slices_lie_in_the_middle_of_equal_parts_and_no_slice_twice() -> None:
    assert spaced_slices(35, 3) == (5, 17, 29)
    assert spaced_slices(2, 3) == (0, 1)
    assert spaced_slices(1, 5) == (0,)


def test_the_summary_of_an_image_is_a_number_in_0_to_1_and_a_direction(
    predictor_with_head: SegSamPredictor, volume: Volume
) -> None:
    summary = summarise(predictor_with_head, volume)
    assert summary.uncertainty is not None and 0 < summary.uncertainty <= 1
    assert summary.embedding.shape == (64,) and np.linalg.norm(summary.embedding) == pytest.approx(1, abs=1e-5)


def test_a_head_that_is_sure_is_certain_and_one_that_knows_nothing_is_not(
    predictor_with_head: SegSamPredictor, volume: Volume
) -> None:
    head = predictor_with_head.network.prompt_free_head
    with torch.no_grad():
        head.classes.weight.zero_()
        head.classes.bias.zero_()
    guessing = summarise(predictor_with_head, volume).uncertainty
    with torch.no_grad():
        head.classes.bias[2] = 40.0
    sure = summarise(predictor_with_head, volume).uncertainty
    assert guessing == pytest.approx(1, abs=1e-4)
    assert sure == pytest.approx(0, abs=1e-4)


def test_only_the_asked_classes_count(predictor_with_head: SegSamPredictor, volume: Volume) -> None:
    head = predictor_with_head.network.prompt_free_head
    with torch.no_grad():
        head.classes.weight.zero_()
        head.classes.bias.copy_(torch.tensor([0.0, 20.0, 20.0, 0.0, 0.0, 0.0]))
    torn = summarise(predictor_with_head, volume, SummaryOptions(("liver", "kidney_left"))).uncertainty
    elsewhere = summarise(predictor_with_head, volume, SummaryOptions(("skin_lesion",))).uncertainty
    assert torn > 0.5
    assert elsewhere < 0.01
    with pytest.raises(ValueError, match="spleen"):
        summarise(predictor_with_head, volume, SummaryOptions(("spleen",)))


def test_without_a_head_nothing_is_known_of_uncertainty_but_the_direction_is_the_same(
    predictor_with_head: SegSamPredictor, volume: Volume
) -> None:
    with_head = summarise(predictor_with_head, volume)
    predictor_with_head.network.prompt_free_head = None
    without = summarise(predictor_with_head, volume)
    assert without.uncertainty is None
    np.testing.assert_array_equal(without.embedding, with_head.embedding)


def test_where_nothing_is_plausible_the_most_plausible_hundredth_counts() -> None:
    foreground = np.full((20, 20), 0.01, np.float32)
    foreground[3, 4:8] = 0.05
    region = plausible_region(SemanticMap(np.stack([1 - foreground, foreground]), ("liver",)))
    assert region.sum() == 4 and region[3, 4:8].all()
    foreground[10:15, 10:15] = 0.6
    region = plausible_region(SemanticMap(np.stack([1 - foreground, foreground]), ("liver",)))
    assert region.sum() == 25 and region[10:15, 10:15].all()


def test_the_border_around_the_picture_does_not_count(predictor_with_head: SegSamPredictor) -> None:
    features = predictor_with_head.encode(np.zeros((20, 60, 3), np.uint8))
    maps = {"image_embedding": torch.full_like(features.maps["image_embedding"], 7.0)}
    rows, _ = features.transform.inner_shape
    top = features.transform.offset_yx[0]
    scale = maps["image_embedding"].shape[-1] / 64
    maps["image_embedding"][:, :, int(top * scale) : math.ceil((top + rows) * scale)] = 1.0
    assert (pooled_embedding(maps, features.transform) == 1).all()


def test_a_new_head_on_the_same_encoder_costs_no_encoder_pass(
    predictor_with_head: SegSamPredictor, volume: Volume
) -> None:
    passes: list[int] = []
    predictor_with_head.network.encoder.register_forward_hook(lambda *_: passes.append(1))
    with EmbeddingCache(None) as cache:
        uncertainties = []
        for version in ("one", "two"):
            served = SegSamPredictor(predictor_with_head.network, version, device="cpu", cache=cache)
            uncertainties.append(summarise(served, volume).uncertainty)
            with torch.no_grad():
                served.network.prompt_free_head.classes.bias[1] += 2
    assert len(passes) == 3
    assert uncertainties[0] != uncertainties[1]


def test_it_stops_when_it_is_told_to(predictor_with_head: SegSamPredictor, volume: Volume) -> None:
    with pytest.raises(Cancelled):
        summarise(predictor_with_head, volume, is_cancelled=lambda: True)
