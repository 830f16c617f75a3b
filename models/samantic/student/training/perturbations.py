"""The photometric changes under which teacher and student are compared: no pixel moves."""

from __future__ import annotations

import numpy as np
import torch

KINDS = 8
"""Numbers of one perturbation: a gamma, three gains, three offsets and a saturation."""


def drawn_perturbations(count: int, each: int, seed: int) -> torch.Tensor:
    """`each` perturbations of `count` pictures, (count, each, KINDS), by its place and the seed."""
    drawn = [np.random.default_rng((seed, place)).standard_normal((each, KINDS)) for place in range(count)]
    return torch.from_numpy(np.array(drawn).reshape(count, each, KINDS)).float()


def perturbed(pictures: torch.Tensor, perturbations: torch.Tensor) -> torch.Tensor:
    """Pictures (B, 3, H, W) in 0 to 1 under perturbations (B, KINDS) -> the same shape. Source: ours."""
    numbers = perturbations.view(len(perturbations), KINDS, 1, 1)
    gamma, gains, offsets, saturation = numbers[:, :1], numbers[:, 1:4], numbers[:, 4:7], numbers[:, 7:]
    pictures = pictures.clamp(1e-3, 1) ** (0.35 * gamma).exp()
    pictures = pictures * (0.12 * gains).exp() + 0.05 * offsets
    grey = pictures.mean(dim=1, keepdim=True)
    return (grey + (pictures - grey) * (0.4 * saturation).exp()).clamp(0, 1)
