"""What a model brings to the training loop."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import nn


class TrainingTask(Protocol):
    """A network, what it learns from, and how its weights are written."""

    weights_name: str
    """File name of the weights in the run folder."""

    @property
    def network(self) -> nn.Module:
        """The network to train; the loop moves it to the device."""

    def identity(self) -> Mapping[str, Any]:
        """All that makes this run another one than its neighbour, as JSON values; a resumed run must agree in it."""

    def draw(self, step: int, random: np.random.Generator) -> Any | None:
        """The batch of a step, on the CPU; None where nothing can be learned from what was drawn.

        Everything random comes from `random`: the loop seeds it with the run's seed, the step and the process.
        """

    def loss(self, batch: Any, step: int, random: np.random.Generator) -> tuple[torch.Tensor, dict[str, float]]:
        """The loss (scalar) of a batch on the network's device, under autocast, and its parts for the log."""

    def save_weights(self, network: nn.Module, path: Path) -> None:
        """Write the weights of `network`, which is the moving average."""


@runtime_checkable
class ShowsPredictions(Protocol):
    """A task that can draw what its network answers."""

    def prediction_sheet(self, network: nn.Module, path: Path) -> None:
        """Write a picture of some predictions of `network`, which is the moving average in evaluation mode."""
