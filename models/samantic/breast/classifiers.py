"""From feature maps and the mask to a diagnosis."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from samantic.breast.diagnosis import DIAGNOSES

BACKGROUND = 0.1
"""What is left of the background at first; learned (method page)."""


class MaskGuidedClassifier(nn.Module):
    """Looks at the lesion and keeps a little of its surroundings (PRECISE 2025; method page).

    Features F (B, C, h, w) and mask logits (B, 1, S, S) -> class logits (B, 3) and the attention A (B, 1, h, w), the
    share of each cell that the mask covers. F' = F (alpha + A); what is classified is the mean of F within the mask,
    that of F and that of F'.
    """

    def __init__(self, channels: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.tensor(BACKGROUND))
        self.layers = _layers(3 * channels, hidden, dropout)

    def forward(self, features: torch.Tensor, mask_logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        grid = (features.shape[2], features.shape[3])
        attention = functional.adaptive_avg_pool2d(torch.sigmoid(mask_logits), grid)
        guided = features * (self.alpha + attention)
        # One cell of nothing is added: without a lesion the first part fades to zero instead of dividing by it.
        inside = (features * attention).sum(dim=(2, 3)) / (attention.sum(dim=(2, 3)) + 1.0)
        described = torch.cat([inside, features.mean(dim=(2, 3)), guided.mean(dim=(2, 3))], dim=1)
        return self.layers(described), attention


class PlainClassifier(nn.Module):
    """Looks at the whole picture alike: the mean of F alone. The attention is 1 everywhere."""

    def __init__(self, channels: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.layers = _layers(channels, hidden, dropout)

    def forward(self, features: torch.Tensor, mask_logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:  # noqa: ARG002
        return self.layers(features.mean(dim=(2, 3))), torch.ones_like(features[:, :1])


def _layers(channels: int, hidden: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.LayerNorm(channels),
        nn.Linear(channels, hidden),
        nn.SiLU(),
        nn.Dropout(dropout),
        nn.Linear(hidden, len(DIAGNOSES)),
    )
