"""Training an epoch at a time, for rounds that end when validation says so, which the common loop does not know."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from accelerate.utils import set_seed
from torch import nn

from samantic.training.optimiser import adamw, moving_average
from samantic.training.round_options import RoundOptions
from samantic.training.schedule import learning_rate_at


@dataclass(frozen=True, eq=False)
class Epoch:
    """One epoch, counted from 1: its mean `loss`, and the average weights as they are published, in half precision."""

    number: int
    loss: float
    network: nn.Module


def epochs(
    network: nn.Module,
    options: RoundOptions,
    loss: Callable[[int, np.random.Generator], torch.Tensor],
    before_step: Callable[[int, int], None] = lambda _step, _steps: None,
) -> Iterator[Epoch]:
    """Train by `loss`, of a step and its own random numbers, and yield every epoch; who has enough stops asking.

    `before_step` is told the step and how many there are, and may raise. Same seed, same weights.
    """
    schedule = options.fit_options()
    optimiser, average = adamw(network, schedule), moving_average(network, options.average_decay)
    network.train()
    for epoch in range(options.epochs):
        losses = []
        for step in range(epoch * options.steps_per_epoch, (epoch + 1) * options.steps_per_epoch):
            before_step(step, schedule.steps)
            key = (options.seed, step)
            # As in the common loop: torch's own generators are seeded by the step, too.
            set_seed(int(np.random.SeedSequence(key).generate_state(1)[0]))
            for group in optimiser.param_groups:
                group["lr"] = learning_rate_at(step, schedule)
            optimiser.zero_grad()
            found = loss(step, np.random.default_rng(key))
            found.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), schedule.gradient_norm)
            optimiser.step()
            average.update_parameters(network)
            losses.append(float(found.detach()))
        yield Epoch(epoch + 1, float(np.mean(losses)), copy.deepcopy(average.module).half().float().eval())
