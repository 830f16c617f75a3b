"""Distribution-based self-supervised loss: lesions look alike among each other, and unlike what surrounds them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional

SMALLEST_VARIANCE = 1e-2
MARGIN = 1.0
"""Deviations that the means of a class and of the background shall lie apart (ours)."""


@dataclass(frozen=True, eq=False)
class FeatureDistribution:
    """Mean and variance of the features of each class, (1 + K, C), and how much of the pictures it fills, (1 + K,)."""

    mean: torch.Tensor
    variance: torch.Tensor
    mass: torch.Tensor

    @classmethod
    def of(cls, features: torch.Tensor, shares: torch.Tensor) -> FeatureDistribution:
        """Features (B, C, h, w) under the classes' shares (B, 1 + K, H, W) of each pixel, averaged to the same grid."""
        grid = (features.shape[2], features.shape[3])
        shares = functional.adaptive_avg_pool2d(shares.float(), grid).transpose(0, 1).flatten(1)
        values = features.float().transpose(0, 1).flatten(1)
        mass = shares.sum(dim=1)
        weights = shares / mass.clamp_min(1e-6).unsqueeze(1)
        mean = weights @ values.T
        variance = (weights @ values.square().T - mean.square()).clamp_min(SMALLEST_VARIANCE)
        return cls(mean, variance, mass / shares.shape[1])

    def detached(self) -> FeatureDistribution:
        return FeatureDistribution(self.mean.detach(), self.variance.detach(), self.mass.detach())

    def divergence(self, other: FeatureDistribution) -> torch.Tensor:
        """Symmetric Kullback-Leibler divergence of two sets of normal distributions, a channel and class: (1 + K,)."""
        apart = (self.mean - other.mean).square()
        ratio = self.variance / other.variance + other.variance / self.variance - 2
        pull = apart * (1 / self.variance + 1 / other.variance)
        # Its logarithm: a channel that is far off shall not drown the others.
        return torch.log1p((ratio + pull) / 4).mean(dim=1)

    def crowding(self) -> torch.Tensor:
        """How much nearer than `MARGIN` each class but the background is to the background: (K,)."""
        spread = (self.variance[1:] + self.variance[:1]) / 2
        distance = ((self.mean[1:] - self.mean[:1]).square() / spread).mean(dim=1).add(1e-8).sqrt()
        return functional.relu(MARGIN - distance)


def distribution_loss(
    one_view: FeatureDistribution,
    other_view: FeatureDistribution,
    labelled: FeatureDistribution,
    smallest_mass: float = 1e-3,
) -> torch.Tensor:
    """The views' distributions match each other's and those under the labels, and classes stand off the background.

    Classes that fill less than `smallest_mass` of any of the three take no part; scalar, 0 if none is left. Source:
    ours, after the paper's description.
    """
    bank = labelled.detached()
    seen = torch.stack([part.mass for part in (one_view, other_view, bank)]).amin(dim=0) > smallest_mass
    matching = one_view.divergence(other_view) + (one_view.divergence(bank) + other_view.divergence(bank)) / 2
    apart = functional.pad((one_view.crowding() + other_view.crowding()) / 2, (1, 0))
    return ((matching + apart) * seen).sum() / seen.sum().clamp_min(1)
