"""The diffusion step as a vector: sinusoids through two layers (DermoSegDiff; Ho et al. 2020)."""

from __future__ import annotations

import math

import torch
from torch import nn

LONGEST_PERIOD = 10_000.0
TIME_FACTOR = 8
"""With this the parameters are as many as published: 1.5, 5.3 and 321 million at the three published widths."""


class TimeEmbedding(nn.Sequential):
    """Steps (B,) -> (B, TIME_FACTOR x width)."""

    def __init__(self, width: int) -> None:
        self.width = width
        inner = TIME_FACTOR * width
        super().__init__(nn.Linear(width, inner), nn.GELU(), nn.Linear(inner, inner))

    def forward(self, steps: torch.Tensor) -> torch.Tensor:
        """Return the embedding of each step."""
        half = self.width // 2
        exponents = torch.arange(half, device=steps.device, dtype=torch.float32) / max(half - 1, 1)
        angles = steps[:, None].float() * torch.exp(-math.log(LONGEST_PERIOD) * exponents)[None]
        return super().forward(torch.cat([angles.sin(), angles.cos()], dim=1))
