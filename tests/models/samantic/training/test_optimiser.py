from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from samantic.training import FitOptions, learning_rate_at
from samantic.training.optimiser import adamw, decay_after, moving_average


def test_the_average_keeps_more_and_more_of_what_it_was():
    assert decay_after(1, 0.998) == pytest.approx(2 / 11)
    assert decay_after(90, 0.998) == pytest.approx(0.91)
    assert decay_after(1e6, 0.998) == 0.998
    assert decay_after(90, 0.5) == 0.5


def test_the_average_follows_its_formula_step_by_step():
    network = nn.Linear(1, 1, bias=False)
    average = moving_average(network, 0.6)
    expected = None
    for number, value in enumerate([5.0, 1.0, -3.0, 8.0, 2.0, 0.5, 7.0, 7.0, 7.0, 7.0, 7.0, 7.0, 7.0, 7.0]):
        network.weight.data.fill_(value)
        average.update_parameters(network)
        # The first update copies; from then on the n-th keeps (1 + n) / (10 + n), at most 0.6.
        keep = min(0.6, (1 + number) / (10 + number))
        expected = value if expected is None else keep * expected + (1 - keep) * value
        assert average.module.weight.item() == pytest.approx(expected, abs=1e-6)


def test_buffers_are_copied_into_the_average():
    network = nn.BatchNorm1d(2)
    average = moving_average(network, 0.9)
    for value in (1.0, 4.0):
        network.running_mean.fill_(value)
        average.update_parameters(network)
    assert average.module.running_mean.tolist() == [4.0, 4.0]


def test_vectors_do_not_decay_and_frozen_weights_are_left_out():
    network = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2))
    network[2].requires_grad_(False)
    optimizer = adamw(network, FitOptions(weight_decay=0.3))
    decay = {id(p): group["weight_decay"] for group in optimizer.param_groups for p in group["params"]}
    assert decay == {
        id(network[0].weight): 0.3,
        id(network[0].bias): 0.0,
        id(network[1].weight): 0.0,
        id(network[1].bias): 0.0,
    }


def test_the_learning_rate_warms_up_and_falls_to_a_hundredth():
    options = FitOptions(steps=1000, learning_rate=1e-3, warmup_share=0.05)
    rates = [learning_rate_at(step, options) for step in range(1001)]
    assert rates[0] == pytest.approx(1e-3 / 50)
    assert rates[49] == rates[50] == max(rates) == pytest.approx(1e-3)
    assert rates[:50] == sorted(rates[:50]) and rates[50:] == sorted(rates[50:], reverse=True)
    assert rates[525] == pytest.approx(1e-3 * (0.01 + 0.99 / 2))
    assert rates[1000] == pytest.approx(1e-5)


def test_one_step_without_a_warm_up_has_the_whole_learning_rate():
    assert learning_rate_at(0, replace(FitOptions(), steps=1, warmup_share=0.0)) == FitOptions().learning_rate


def test_a_gradient_is_scaled_down_to_the_norm_that_is_allowed(toy, metrics, tmp_path):
    from samantic.training import fit

    options = FitOptions(steps=1, gradient_norm=1e-3, learning_rate=1.0, warmup_share=0.0)
    task = toy.ToyTask(losses={0: 1000.0})
    fit(task, options, tmp_path)
    assert float(metrics(tmp_path)[0]["gradient_norm"]) > 1
    norm = torch.cat([p.grad.flatten() for p in task.network.parameters()]).norm().item()
    assert norm == pytest.approx(1e-3, rel=1e-3)
