"""AdamW and the moving average of the weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from samantic.training.options import FitOptions


def adamw(network: nn.Module, options: FitOptions) -> torch.optim.AdamW:
    """AdamW (arXiv 1711.05101) over all that learns; biases, norms and other vectors do not decay."""
    learning = [parameter for parameter in network.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in learning if p.ndim > 1], "weight_decay": options.weight_decay},
        {"params": [p for p in learning if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=options.learning_rate)


def moving_average(network: nn.Module, decay: float) -> AveragedModel:
    """Exponential moving average of the weights, buffers copied; after n updates it keeps `decay_after(n, decay)`."""
    return AveragedModel(network, multi_avg_fn=_update(decay))


def decay_after(updates: float, decay: float) -> float:
    """(1 + n) / (10 + n), at most `decay`: the random start is soon forgotten (as TensorFlow's `num_updates`)."""
    return min(decay, (1.0 + updates) / (10.0 + updates))


def _update(decay: float) -> Callable[[Any, Any, torch.Tensor | int], None]:
    @torch.no_grad()
    def update(averages: Any, parameters: Any, count: torch.Tensor | int) -> None:
        torch._foreach_lerp_(list(averages), list(parameters), 1.0 - decay_after(float(count), decay))

    return update
