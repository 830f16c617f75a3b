"""The boundary-aware loss: the later the step, the more the border counts (DermoSegDiff, section 2.2)."""

from __future__ import annotations

import torch

from samantic.besadiff.noise_schedule import STEPS

REACH = 1.1415
SMALLEST_FOREGROUND = 0.01
BOUNDARY_WEIGHT = 0.25


def boundary_weights(signed_distance: torch.Tensor, steps: torch.Tensor, gamma: float) -> torch.Tensor:
    """Signed distances (B, 1, S, S) in pixels and steps (B,) -> weights (B, 1, S, S) in 0 to 1.

    1 on the border, less with the distance, the more so the less noise is left; 1 everywhere where the foreground is
    under 1 % of the picture.
    """
    side = signed_distance.shape[-1]
    nearness = REACH * side - signed_distance.float().abs()
    low, high = (extreme(nearness, dim=(2, 3), keepdim=True) for extreme in (torch.amin, torch.amax))
    nearness = (nearness - low) / (high - low).clamp_min(1e-6)
    exponent = (gamma * (STEPS - steps.float()) / STEPS) ** gamma
    weights = nearness ** exponent.view(-1, 1, 1, 1)
    small = (signed_distance > 0).float().mean(dim=(1, 2, 3), keepdim=True) < SMALLEST_FOREGROUND
    return torch.where(small, torch.ones_like(weights), weights)


def boundary_aware_loss(
    predicted: torch.Tensor,
    target: torch.Tensor,
    signed_distance: torch.Tensor,
    steps: torch.Tensor,
    gamma: float = 0.25,
    weight: float = BOUNDARY_WEIGHT,
) -> torch.Tensor:
    """Mean squared error, and `weight` times the same weighted by the border: all (B, 1, S, S), steps (B,) -> scalar.

    `gamma` is .25 for PH2 and .2 for HAM10000 in the paper; `weight` 0 leaves the border out.
    """
    error = (predicted.float() - target.float()).square()
    if weight == 0:
        return error.mean()
    return error.mean() + weight * (boundary_weights(signed_distance, steps, gamma) * error).mean()
