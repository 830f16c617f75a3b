from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tests.models.samantic.segsam.training.power_cut import PowerCutError, Until

from samantic.datasets.labelled_view import LabelledView
from samantic.segsam import CheckpointError, SegSam, SegSamPredictor, ViewPrompts, load_network, save_network
from samantic.segsam.look_network import LookNetwork
from samantic.segsam.training.look_fit import LookTask, fit_look, with_look
from samantic.training import FitOptions, TrainingError

SHARES = {"square": 0.5, "disc": 0.5}
OPTIONS = FitOptions(steps=3, batch_size=2, learning_rate=3e-3, average_decay=0.5)
LOOK = {"look_size": 64, "look_width": 4}


@pytest.fixture
def sets(square_view, disc_view) -> dict[str, Sequence[LabelledView]]:
    return {"square": [square_view], "disc": [disc_view]}


@pytest.fixture
def weights(network: SegSam, tmp_path: Path) -> Path:
    """SEG-SAM weights without a look network."""
    path = tmp_path / "start.safetensors"
    save_network(network, path)
    return path


def _metrics(run: Path) -> list[dict[str, str]]:
    with (run / "metrics.csv").open(newline="") as lines:
        return list(csv.DictReader(lines))


def test_weights_without_a_look_network_get_one_and_keep_all_others_bit_for_bit(weights, sets, tmp_path: Path):
    network = fit_look(weights, sets, SHARES, OPTIONS, tmp_path / "run", **LOOK)
    start, trained = load_file(weights), load_file(tmp_path / "run" / "segsam.safetensors")
    looking = {name for name in trained if name.startswith("look_network.")}
    assert looking and trained.keys() - looking == start.keys()
    assert all(torch.equal(trained[name], tensor) for name, tensor in start.items())
    assert [int(line["step"]) for line in _metrics(tmp_path / "run")] == [0, 1, 2]
    assert not network.training and network.look_network is not None
    fresh = fit_look(weights, sets, SHARES, replace(OPTIONS, learning_rate=1e-12), tmp_path / "fresh", **LOOK)
    assert (network.look_network.stem.weight - fresh.look_network.stem.weight).abs().max() > 1e-4


def test_the_weights_file_is_read_and_answers(weights, sets, disc_view, tmp_path: Path):
    network = fit_look(weights, sets, SHARES, OPTIONS, tmp_path, **LOOK)
    saved = load_network(tmp_path / "segsam.safetensors")
    assert saved.config == network.config == replace(load_network(weights).config, **LOOK)
    for name, tensor in network.state_dict().items():
        assert torch.equal(saved.state_dict()[name], tensor.half().float()), name
    predictor = SegSamPredictor.from_checkpoint(tmp_path / "segsam.safetensors", device="cpu")
    predictor.set_image(disc_view.image)
    (answer,) = predictor.predict([ViewPrompts(np.zeros((0, 2)), np.zeros(0, dtype=int), (18, 12, 55, 49))])
    assert answer.mask.shape == disc_view.labels.shape
    assert answer.low_res_logits.look.shape == (63, 63)
    assert answer.class_probabilities.keys() == set(predictor.class_names)


def test_a_resumed_run_ends_where_an_uninterrupted_one_would(weights, sets, tmp_path: Path):
    options = replace(OPTIONS, steps=4, checkpoint_minutes=0)
    whole = fit_look(weights, sets, SHARES, options, tmp_path / "whole", **LOOK)
    left = [5]  # two steps of two pictures, then the third step's second picture is never drawn
    until = {name: Until(views, left) for name, views in sets.items()}
    with pytest.raises(PowerCutError):
        fit_look(weights, until, SHARES, options, tmp_path / "cut", **LOOK)
    assert len(_metrics(tmp_path / "cut")) == 2
    torch.manual_seed(123)
    resumed = fit_look(weights, sets, SHARES, options, tmp_path / "cut", **LOOK)
    assert whole.state_dict().keys() == resumed.state_dict().keys()
    for name, tensor in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[name], tensor, atol=1e-6, rtol=0, msg=name)
    assert _metrics(tmp_path / "whole") == _metrics(tmp_path / "cut")


def test_a_look_network_of_the_same_shape_is_the_start_and_another_one_is_replaced(config, sets, tmp_path: Path):
    torch.manual_seed(5)
    looking = SegSam(replace(config, **LOOK))
    with torch.no_grad():
        looking.look_network.stem.weight.fill_(0.25)
    save_network(looking, tmp_path / "looking.safetensors")
    still = FitOptions(steps=1, batch_size=2, learning_rate=1e-12, weight_decay=0.0)
    same = fit_look(tmp_path / "looking.safetensors", sets, SHARES, still, tmp_path / "same", **LOOK)
    torch.testing.assert_close(same.look_network.stem.weight, looking.look_network.stem.weight)
    for number, other in enumerate(({"look_size": 96, "look_width": 4}, {"look_size": 64, "look_width": 6})):
        found = fit_look(tmp_path / "looking.safetensors", sets, SHARES, still, tmp_path / str(number), **other)
        assert {"look_size": found.config.look_size, "look_width": found.config.look_width} == other
        assert found.look_network.stem.weight.std() > 0.01


def test_a_folder_of_other_weights_or_another_look_is_refused(config, weights, sets, tmp_path: Path):
    fit_look(weights, sets, SHARES, replace(OPTIONS, steps=1), tmp_path / "run", **LOOK)
    for other, said in (({"look_size": 96, "look_width": 4}, "look_network.size was 64 and is now 96"),):
        with pytest.raises(TrainingError, match=said):
            fit_look(weights, sets, SHARES, replace(OPTIONS, steps=1), tmp_path / "run", **other)
    save_network(SegSam(config), tmp_path / "others.safetensors")
    with pytest.raises(TrainingError, match="segsam was "):
        others = tmp_path / "others.safetensors"
        fit_look(others, sets, SHARES, replace(OPTIONS, steps=1), tmp_path / "run", **LOOK)


def test_what_is_no_checkpoint_is_refused(sets, tmp_path: Path):
    (tmp_path / "text.safetensors").write_text("weights")
    with pytest.raises(CheckpointError, match=r"text\.safetensors cannot be read"):
        fit_look(tmp_path / "text.safetensors", sets, SHARES, OPTIONS, tmp_path / "run", **LOOK)


def test_shares_that_do_not_fit_the_sets_are_refused(weights, sets, tmp_path: Path):
    with pytest.raises(TrainingError, match="'disc' has only one of the two"):
        fit_look(weights, sets, {"square": 1.0}, OPTIONS, tmp_path / "run", **LOOK)


def test_a_network_that_looks_once_has_nothing_to_train(network: SegSam, sets):
    with pytest.raises(ValueError, match="has no look network"):
        LookTask(network, sets, SHARES, OPTIONS, "hash")


def test_a_network_with_another_look_is_the_same_otherwise(network: SegSam):
    torch.manual_seed(1)
    look = LookNetwork(64, 4)
    twice = with_look(network, look)
    assert network.look_network is None and twice.look_network is not look
    for name, tensor in network.state_dict().items():
        assert torch.equal(twice.state_dict()[name], tensor), name
    for name, tensor in look.state_dict().items():
        assert torch.equal(twice.look_network.state_dict()[name], tensor), name


def test_sheets_of_predictions_are_drawn_and_change_nothing(weights, sets, square_view, tmp_path: Path):
    options = replace(OPTIONS, steps=2)
    plain = fit_look(weights, sets, SHARES, options, tmp_path / "plain", **LOOK)
    options = replace(options, sheet_every=1)
    shown = fit_look(weights, sets, SHARES, options, tmp_path / "shown", **LOOK, shown=[square_view])
    assert {path.name for path in (tmp_path / "shown" / "sheets").iterdir()} == {"step-1.png", "step-2.png"}
    for name, tensor in plain.state_dict().items():
        torch.testing.assert_close(shown.state_dict()[name], tensor, atol=1e-6, rtol=0, msg=name)
