"""Perturbation-consistent cross-architecture distillation.

Features of two architectures mean different things, but both should answer a change of the picture alike: what is
aligned is the response to a perturbation, not the features alone.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

GROUPS = 8
SMALLEST_NORM = 1e-4


class FeatureProjector(nn.Module):
    """The teacher's features (B, D, h, w) in the student's feature space, (B, C, *size)."""

    def __init__(self, teacher_channels: int, student_channels: int) -> None:
        super().__init__()
        groups = GROUPS if student_channels % GROUPS == 0 else 1
        self.project = nn.Conv2d(teacher_channels, student_channels, 1)
        self.norm = nn.GroupNorm(groups, student_channels)

    def forward(self, features: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        # Half precision cannot be resized with a gradient on every device.
        projected = self.norm(self.project(features)).float()
        return functional.interpolate(projected, size=size, mode="bilinear", antialias=True)


def perturbation_consistency_loss(
    teacher_clean: torch.Tensor,
    teacher_perturbed: torch.Tensor,
    student_clean: torch.Tensor,
    student_perturbed: torch.Tensor,
    cosine_weight: float,
) -> torch.Tensor:
    """|n(z_T(x+d) - z_T(x)) - n(z_S(x+d) - z_S(x))|^2 + w (1 - cos(z_T(x), z_S(x))), all (B, C, h, w) -> scalar.

    n makes the channels of a place a vector of length 1. Source: ours, after the paper's description.
    """
    teacher_response = _unit(teacher_perturbed.float() - teacher_clean.float())
    student_response = _unit(student_perturbed.float() - student_clean.float())
    responses = (teacher_response - student_response).square().sum(dim=1).mean()
    cosine = functional.cosine_similarity(teacher_clean.float(), student_clean.float(), dim=1).mean()
    return responses + cosine_weight * (1 - cosine)


def _unit(vectors: torch.Tensor) -> torch.Tensor:
    return vectors / vectors.square().sum(dim=1, keepdim=True).add(SMALLEST_NORM**2).sqrt()
