"""The network learns, goes on where it was cut off, and remembers what it has seen."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from samantic.breast import BreastConfig, BreastNetwork, read_breast
from samantic.breast.training.augmentation import moved, retuned
from samantic.breast.training.encoder_weights import load_encoder_weights
from samantic.breast.training.examples import ANYTHING, BUSI_CONTRADICTIONS, BreastExample, busi_examples
from samantic.breast.training.fit import fit_breast
from samantic.breast.training.loss import BreastLoss, diagnosis_loss, diagnosis_weights, mask_loss
from samantic.breast.training.settings import PACKAGED, BreastSettings
from samantic.bundled import bundled_weights
from samantic.datasets.development_sets import PARTS, data_folder, image_ids
from samantic.datasets.near_duplicates import ULTRASOUND, near_duplicates, signature
from samantic.sam import find_checkpoint
from samantic.segsam import load_network
from samantic.training import FitOptions, SettingsError, TrainingError

CONFIG = BreastConfig(image_size=64, hidden=32)
STEP = FitOptions(steps=1, batch_size=2)
Breasts = Callable[..., list[BreastExample]]


def test_a_run_shows_its_predictions_and_remembers_what_it_saw(a_trained_breast: Path):
    stored = read_breast(a_trained_breast)
    assert len(stored.manifest.images["busi"]) == 24
    assert (a_trained_breast.parent / "sheets" / "step-100.png").stat().st_size > 1000


def test_without_the_mask_in_the_loss_the_mask_is_not_learned(breasts: Breasts, tmp_path: Path):
    loss = BreastLoss(mask_weight=0.0)
    network = fit_breast(replace(CONFIG, classifier="plain"), breasts(6), STEP, tmp_path, loss=loss)
    torch.manual_seed(0)
    fresh = fit_breast(
        replace(CONFIG, classifier="plain"), breasts(6), replace(STEP, steps=2), tmp_path / "b", loss=loss
    )
    assert torch.equal(network.head.out.weight, fresh.head.out.weight)
    assert not torch.equal(network.classifier.layers[1].weight, fresh.classifier.layers[1].weight)


def test_a_frozen_encoder_stays_as_it_is(breasts: Breasts, tmp_path: Path):
    network = fit_breast(CONFIG, breasts(6), replace(STEP, steps=3), tmp_path, encoder_learns=False)
    other = fit_breast(CONFIG, breasts(6), STEP, tmp_path / "b", encoder_learns=False)
    assert torch.equal(network.encoder.neck.weight, other.encoder.neck.weight)
    assert not torch.equal(network.head.out.weight, other.head.out.weight)


def test_the_encoder_of_the_bundled_segsam_can_be_gone_on_from_and_is_remembered():
    network = BreastNetwork(BreastConfig(encoder="tiny"))
    manifest = load_encoder_weights(network, "segsam-tiny")
    theirs = load_network(bundled_weights("segsam-tiny")).encoder.state_dict()
    assert all(torch.equal(network.base_encoder.state_dict()[name], theirs[name]) for name in theirs)
    assert len(manifest.images["busi"]) == 434


@pytest.mark.parametrize(
    ("config", "source", "said"),
    [
        (CONFIG, "segsam-tiny", "are not of the encoder 'folded'"),
        (CONFIG, "resnet", "must be one of segsam-tiny, sam_vit_b"),
    ],
)
def test_weights_that_cannot_be_are_refused(config: BreastConfig, source: str, said: str):
    with pytest.raises(SettingsError, match=said):
        load_encoder_weights(BreastNetwork(config), source)


def test_weights_that_are_not_here_are_named_with_the_command_that_fetches_them(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("SAMANTIC_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("SAMANTIC_HOME", str(tmp_path))
    with pytest.raises(SettingsError, match="samantic models download sam_vit_b"):
        load_encoder_weights(BreastNetwork(CONFIG), "sam_vit_b")


def test_without_a_picture_nothing_is_trained(tmp_path: Path):
    with pytest.raises(TrainingError, match="no labelled picture"):
        fit_breast(CONFIG, [], STEP, tmp_path)


class TestLoss:
    def test_it_falls_with_the_probability_of_what_is_possible(self):
        logits = torch.tensor([[2.0, 1.0, -1.0]])
        weights = torch.ones(3)
        one = diagnosis_loss(logits, torch.tensor([[False, True, False]]), weights)
        either = diagnosis_loss(logits, torch.tensor([[False, True, True]]), weights)
        assert float(one) == pytest.approx(-float(torch.log_softmax(logits, 1)[0, 1]))
        assert float(either) == pytest.approx(-float(torch.log(torch.softmax(logits, 1)[0, 1:].sum())))

    def test_smoothing_makes_certainty_dearer_than_doubt(self):
        possible, weights = torch.tensor([[True, False, False]]), torch.ones(3)
        certain, doubting = torch.tensor([[20.0, 0.0, 0.0]]), torch.tensor([[3.0, 0.0, 0.0]])
        assert diagnosis_loss(certain, possible, weights) < diagnosis_loss(doubting, possible, weights)
        assert diagnosis_loss(certain, possible, weights, 0.1) > diagnosis_loss(doubting, possible, weights, 0.1)
        expected = torch.nn.functional.cross_entropy(certain, torch.tensor([0]), label_smoothing=0.1)
        assert float(diagnosis_loss(certain, possible, weights, 0.1)) == pytest.approx(float(expected))

    def test_a_picture_that_may_be_anything_teaches_nothing(self):
        logits = torch.randn(3, 3, requires_grad=True)
        diagnosis_loss(logits, torch.tensor([ANYTHING] * 3), torch.ones(3)).backward()
        assert float(logits.grad.abs().sum()) == 0

    def test_rare_diagnoses_weigh_more(self):
        possible = torch.tensor([[True, False, False]] + [[False, True, False]] * 16 + [[False, False, True]] * 4)
        weights = diagnosis_weights(possible, 0.5)
        assert float(weights[0] / weights[1]) == pytest.approx(4) and float(weights.mean()) == pytest.approx(1)
        assert diagnosis_weights(possible, 0.0).tolist() == [1, 1, 1]

    def test_a_mask_drawn_into_an_empty_breast_costs_more_the_larger_it_is(self):
        empty = torch.zeros(1, 1, 16, 16)
        small, large = torch.full((2, 1, 1, 16, 16), -9.0)
        small[..., :4, :4] = 9
        large[..., :12, :12] = 9
        assert mask_loss(empty - 9, empty) < mask_loss(small, empty) < mask_loss(large, empty)

    @pytest.mark.parametrize(
        "wrong", [{"mask_weight": -1}, {"class_balance": 2}, {"mask_weight": 0, "class_weight": 0}]
    )
    def test_weights_that_cannot_be_are_refused(self, wrong: dict):
        with pytest.raises(SettingsError, match=next(iter(wrong))):
            BreastLoss(**wrong)


class TestAugmentation:
    def test_the_mask_moves_with_the_picture_and_the_probe_stays_above(self):
        images = torch.zeros(16, 1, 64, 64)
        images[..., 8:24, 24:40] = 1
        pictures, masks = moved(images, images.clone(), np.random.default_rng(1))
        assert torch.equal(pictures, masks) and not torch.equal(pictures, images)
        rows = torch.arange(64).float()
        height = (masks.sum(3)[:, 0] * rows).sum(1) / masks.sum((1, 2, 3))
        assert float(height.max()) < 32

    def test_knobs_change_and_pictures_stay_pictures(self):
        images = torch.rand(8, 1, 16, 16, generator=torch.Generator().manual_seed(0))
        changed = retuned(images.clone(), np.random.default_rng(2))
        assert changed.shape == images.shape and 0 <= float(changed.min()) <= float(changed.max()) <= 1
        assert all(not torch.allclose(one, other) for one, other in zip(changed, images, strict=True))


def test_the_packaged_settings_can_be_read():
    settings = BreastSettings.from_yaml().replacing(steps=7, seed=None)
    assert settings.fit.steps == 7 and settings.fit.seed == 17
    weights = sum(parameter.numel() for parameter in BreastNetwork(settings.network).parameters())
    assert 2 * weights < 8e6


def test_the_settings_on_sams_encoder_can_be_read_and_fit_it():
    published = BreastSettings.from_yaml(PACKAGED.with_name("breast-ultrasound-published.yaml"))
    with torch.device("meta"):
        network = BreastNetwork(published.network)
    assert network.image_size == 1024
    assert find_checkpoint(published.encoder_weights).encoder == published.network.encoder


@pytest.mark.slow
@pytest.mark.skipif("SAMANTIC_DATA" not in os.environ, reason="needs the public sets, named by SAMANTIC_DATA")
def test_pictures_with_contradicted_diagnoses_and_of_held_out_lesions_teach_no_diagnosis():
    folder = data_folder()
    examples = {part: list(busi_examples(folder, part)) for part in PARTS}
    everything = [example for part in PARTS for example in examples[part]]
    found = {example.image_id: signature(example.image[..., 0]) for example in everything}
    kind = {image_id: image_id.split("_")[0] for image_id in found}
    pairs = near_duplicates(found, found, ULTRASOUND)
    contradicted = {pair.first for pair in pairs if kind[pair.first] != kind[pair.second]}
    assert contradicted == frozenset().union(*BUSI_CONTRADICTIONS)
    assert {example.image_id for example in everything if example.possible == ANYTHING} == contradicted
    learned = {example.image_id for example in examples["train"]}
    assert not learned & {*image_ids(folder, "busi", "val"), *image_ids(folder, "busi", "test")}
    for pair in pairs:
        assert (pair.first in learned) == (pair.second in learned), pair
