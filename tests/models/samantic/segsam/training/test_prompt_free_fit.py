from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tests.models.samantic.segsam.training.power_cut import PowerCutError, Until

from samantic.datasets.labelled_view import LabelledView
from samantic.segsam import SegSam, SegSamPredictor, load_network, save_network
from samantic.segsam.checkpoint import load_manifest
from samantic.segsam.manifest import TrainingManifest
from samantic.segsam.training.prompt_free_fit import fit_prompt_free
from samantic.training import FitOptions

SHARES = {"square": 0.5, "disc": 0.5}
OPTIONS = FitOptions(steps=3, batch_size=2, learning_rate=1e-2, average_decay=0.5)


@pytest.fixture
def sets(square_view, disc_view) -> dict[str, Sequence[LabelledView]]:
    return {"square": [square_view], "disc": [disc_view]}


@pytest.fixture
def weights(network: SegSam, tmp_path: Path) -> Path:
    """SEG-SAM weights without a head, that learned from one earlier picture."""
    path = tmp_path / "start.safetensors"
    save_network(network, path, manifest=TrainingManifest.of({"earlier": ["one"]}))
    return path


def test_weights_without_a_head_get_one_and_keep_all_others_bit_for_bit(weights, sets, tmp_path: Path):
    network = fit_prompt_free(weights, sets, SHARES, OPTIONS, tmp_path / "run", width=8)
    start, trained = load_file(weights), load_file(tmp_path / "run" / "segsam.safetensors")
    of_head = {name for name in trained if name.startswith("prompt_free_head.")}
    assert of_head and trained.keys() - of_head == start.keys()
    assert all(torch.equal(trained[name], tensor) for name, tensor in start.items())
    assert load_network(tmp_path / "run" / "segsam.safetensors").config == network.config
    assert network.config == replace(load_network(weights).config, prompt_free_width=8)


def test_the_manifest_names_what_the_head_and_what_the_start_learned_from(weights, sets, tmp_path: Path):
    fit_prompt_free(weights, sets, {"square": 1.0, "disc": 0.0}, OPTIONS, tmp_path / "run", width=8)
    manifest = load_manifest(tmp_path / "run" / "segsam.safetensors")
    assert manifest == TrainingManifest.of({"earlier": ["one"], "square": ["square"]})


def test_two_simple_pictures_are_soon_found_without_a_prompt(weights, sets, square_view, disc_view, tmp_path: Path):
    options = FitOptions(steps=150, batch_size=4, learning_rate=1e-2, average_decay=0.8)
    predictor = SegSamPredictor(fit_prompt_free(weights, sets, SHARES, options, tmp_path, width=8), "trained", "cpu")
    for view in (square_view, disc_view):
        found = predictor.semantic_map(predictor.encode(view.image, view.spacing_yx_mm), [view.class_names[0]])
        overlap = 2 * ((found.labels == 1) & (view.labels == 1)).sum() / (found.labels.sum() + view.labels.sum())
        assert overlap > 0.8, view.image_id


def test_a_resumed_run_ends_where_an_uninterrupted_one_would(weights, sets, tmp_path: Path):
    options = replace(OPTIONS, steps=4, checkpoint_minutes=0)
    whole = fit_prompt_free(weights, sets, SHARES, options, tmp_path / "whole", width=8)
    left = [5]  # two steps of two pictures, then the third step's second picture is never drawn
    cut = {name: Until(views, left) for name, views in sets.items()}
    with pytest.raises(PowerCutError):
        fit_prompt_free(weights, cut, SHARES, options, tmp_path / "cut", width=8)
    resumed = fit_prompt_free(weights, sets, SHARES, options, tmp_path / "cut", width=8)
    for name, tensor in whole.state_dict().items():
        torch.testing.assert_close(tensor, resumed.state_dict()[name], atol=1e-6, rtol=0, msg=name)


def test_a_predictor_without_a_head_says_how_to_get_one(weights, square_view):
    predictor = SegSamPredictor.from_checkpoint(weights, "cpu")
    with pytest.raises(ValueError, match="train prompt-free"):
        predictor.semantic_map(predictor.encode(square_view.image))


def test_what_is_not_asked_for_counts_as_background(weights, sets, square_view, tmp_path: Path):
    network = fit_prompt_free(weights, sets, SHARES, OPTIONS, tmp_path, width=8)
    predictor = SegSamPredictor(network, "trained", "cpu")
    features = predictor.encode(square_view.image, square_view.spacing_yx_mm)
    every, one = predictor.semantic_map(features), predictor.semantic_map(features, ["liver"])
    assert every.probabilities.shape == (len(network.config.class_names) + 1, *square_view.labels.shape)
    np.testing.assert_allclose(one.probabilities.sum(axis=0), 1, atol=1e-5)
    assert one.class_names == ("liver",)
    assert (one.confidence >= 0.5 - 1e-6).all() and (one.uncertainty <= 1 + 1e-6).all()
