"""Rounds that train an epoch at a time."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from samantic.training import RoundOptions
from samantic.training.epochs import Epoch, epochs

OPTIONS = RoundOptions(epochs=3, steps_per_epoch=20, learning_rate=0.05, average_decay=0.5, seed=4)


def line() -> nn.Linear:
    torch.manual_seed(1)
    return nn.Linear(1, 1)


def doubled(network: nn.Module):
    """The loss of a network that is to say 2x, from x at random and with noise of torch's own."""

    def loss(_: int, random: np.random.Generator) -> torch.Tensor:
        x = torch.from_numpy(random.normal(size=(16, 1)).astype(np.float32))
        return (network(x) - 2 * x + 0.01 * torch.randn(16, 1)).square().mean()

    return loss


def trained(count: int) -> list[Epoch]:
    network = line()
    return list(itertools.islice(epochs(network, OPTIONS, doubled(network)), count))


def test_every_epoch_gives_its_mean_loss_and_weights_that_were_learned():
    found = trained(3)
    assert [epoch.number for epoch in found] == [1, 2, 3]
    assert found[2].loss < 0.2 * found[0].loss
    assert abs(found[2].network.weight.item() - 2) < 0.2
    assert not found[2].network.training


def test_weights_come_as_they_are_published_in_half_precision():
    weight = trained(1)[0].network.weight
    assert weight.dtype == torch.float32
    assert torch.equal(weight, weight.half().float())


def test_the_same_seed_gives_the_same_weights():
    assert torch.equal(trained(2)[1].network.weight, trained(2)[1].network.weight)


def test_an_epoch_that_was_given_does_not_change_any_more():
    network = line()
    course = epochs(network, OPTIONS, doubled(network))
    first = next(course).network
    before = first.weight.clone()
    next(course)
    assert torch.equal(first.weight, before)


def test_nothing_is_learned_after_the_last_epoch_that_was_asked_for():
    steps: list[tuple[int, int]] = []
    network = line()
    next(epochs(network, OPTIONS, doubled(network), lambda step, total: steps.append((step, total))))
    assert steps == [(step, 60) for step in range(20)]


def test_who_watches_can_stop_it_before_any_step():
    network = line()

    def stop(step: int, _: int) -> None:
        if step == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        next(epochs(network, OPTIONS, doubled(network), stop))
