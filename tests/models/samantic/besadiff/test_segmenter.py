"""A photograph of any size -> mask, probability and variance of the same size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from samantic.besadiff.answer import boundary_confidence, lesion_mask
from samantic.besadiff.checkpoint import PartError, read_part, save_part
from samantic.besadiff.segmenter import LesionSegmenter
from samantic.segsam import TrainingManifest


def test_the_answer_has_the_photographs_size_and_the_same_seed_gives_the_same(
    tiny_segmenter: LesionSegmenter, photograph: np.ndarray
) -> None:
    answer = tiny_segmenter.segment(photograph, members=3, steps=2, seed=4)
    again = tiny_segmenter.segment(photograph, members=3, steps=2, seed=4)
    other = tiny_segmenter.segment(photograph, members=3, steps=2, seed=5)
    assert answer.mask.shape == answer.probability.shape == answer.variance.shape == (90, 120)
    assert np.array_equal(answer.probability, again.probability)
    assert not np.array_equal(answer.probability, other.probability)
    assert 0 <= answer.probability.min() <= answer.probability.max() <= 1
    assert answer.variance.max() <= 0.25 + 1e-6


def test_one_member_has_no_variance(tiny_segmenter: LesionSegmenter, photograph: np.ndarray) -> None:
    answer = tiny_segmenter.segment(photograph, members=1, steps=1)
    assert answer.variance.max() == 0
    assert answer.mean_variance == 0


def test_sharpening_little_noise_stays_near_the_coarse_mask(
    tiny_segmenter: LesionSegmenter, photograph: np.ndarray
) -> None:
    coarse = np.zeros((90, 120), bool)
    coarse[20:70, 30:90] = True
    answers = [tiny_segmenter.sharpen(photograph, mask, noise_share=0.5, steps=2) for mask in (coarse, ~coarse)]
    assert not np.array_equal(answers[0].probability, answers[1].probability)


@pytest.mark.parametrize("image", [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 3), np.float32)])
def test_what_is_no_photograph_is_refused(tiny_segmenter: LesionSegmenter, image: np.ndarray) -> None:
    with pytest.raises(ValueError, match="photograph must be"):
        tiny_segmenter.segment(image)


def test_a_coarse_mask_of_another_size_and_absurd_shares_are_refused(
    tiny_segmenter: LesionSegmenter, photograph: np.ndarray
) -> None:
    with pytest.raises(ValueError, match="must agree"):
        tiny_segmenter.sharpen(photograph, np.zeros((5, 5), bool))
    with pytest.raises(ValueError, match="noise_share"):
        tiny_segmenter.sharpen(photograph, np.zeros((90, 120), bool), noise_share=0)
    with pytest.raises(ValueError, match="members and steps"):
        tiny_segmenter.segment(photograph, members=0)


def test_two_photographs_have_two_descriptions(tiny_segmenter: LesionSegmenter, photograph: np.ndarray) -> None:
    first, second = (tiny_segmenter.features(image) for image in (photograph, photograph[::-1, ::2].copy()))
    assert first.ndim == 1
    assert not np.allclose(first, second)


def test_a_saved_segmenter_answers_alike_and_says_what_it_learned_from(
    tiny_segmenter: LesionSegmenter, photograph: np.ndarray, tmp_path: Path
) -> None:
    path, manifest = tmp_path / "segmenter.safetensors", TrainingManifest.of({"isic2017": ["b", "a"]})
    network = tiny_segmenter.network
    save_part("segmenter", network, network.config.to_json(), path, manifest=manifest, notes={"seed": 1})
    loaded = LesionSegmenter.load(path)
    assert len(loaded.weights_hash) == 64
    first, second = (one.segment(photograph, steps=1).probability for one in (tiny_segmenter, loaded))
    assert np.abs(first - second).max() < 0.02
    part = read_part("segmenter", path)
    assert part.manifest == manifest
    assert part.notes == {"seed": 1}


def test_files_that_are_no_segmenter_are_refused_plainly(tiny_segmenter: LesionSegmenter, tmp_path: Path) -> None:
    network = tiny_segmenter.network
    other = tmp_path / "generator.safetensors"
    save_part("generator", network, network.config.to_json(), other, manifest=None)
    with pytest.raises(PartError, match="is no segmenter"):
        LesionSegmenter.load(other)
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(other.read_bytes()[:5000])
    with pytest.raises(PartError, match="cannot be read"):
        LesionSegmenter.load(cut)
    wider = tmp_path / "wider.safetensors"
    config = network.config.to_json().replace('"mask_width": 8', '"mask_width": 16')
    save_part("segmenter", network, config, wider, manifest=None)
    with pytest.raises(PartError, match="does not fit"):
        LesionSegmenter.load(wider)


def test_a_mask_has_no_holes_and_no_crumbs() -> None:
    probability = np.zeros((60, 60), np.float32)
    probability[10:40, 10:40] = 0.9
    probability[20:24, 20:24] = 0.1
    probability[50:54, 50:54] = 0.9
    mask = lesion_mask(probability)
    assert mask[22, 22]
    assert not mask[52, 52]
    assert mask.sum() == 900


def test_members_that_agree_are_confident_and_others_are_not() -> None:
    square = np.zeros((64, 64), np.float32)
    square[16:48, 16:48] = 1
    moved = np.roll(square, 8, axis=1)
    assert boundary_confidence(np.stack([square] * 3), square > 0.5) == 1
    assert boundary_confidence(np.stack([square, moved]), square > 0.5) < 0.9
    assert boundary_confidence(np.stack([square]), np.zeros((64, 64), bool)) == 0
