"""What the network is punished for: the mask, and the diagnosis as far as the label says it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional

from samantic.training import SettingsError

SMOOTH = 16.0
"""Pixels added to both sides of the overlap, so that a breast without a lesion has a slope, too (ours)."""


@dataclass(frozen=True)
class BreastLoss:
    """Dice + binary cross-entropy of the mask and `class_weight` times the cross-entropy of the diagnosis.

    `mask_weight` 0 leaves segmentation out. Each diagnosis weighs by the inverse of how common it is, to the power of
    `class_balance`. The classes do not teach the mask in the first `detached_share` of the steps. `smoothing` is the
    share of the diagnosis's loss that asks for doubt: few hundred pictures are soon known by heart.
    """

    mask_weight: float = 1.0
    class_weight: float = 0.5
    class_balance: float = 0.5
    detached_share: float = 0.3
    smoothing: float = 0.0

    def __post_init__(self) -> None:
        for name, high in (
            ("mask_weight", 100),
            ("class_weight", 100),
            ("class_balance", 1),
            ("detached_share", 1),
            ("smoothing", 0.9),
        ):
            if not 0 <= getattr(self, name) <= high:
                raise SettingsError(f"{name} must be 0 to {high}, not {getattr(self, name)}.")
        if not self.mask_weight and not self.class_weight:
            raise SettingsError("mask_weight and class_weight cannot both be 0: there would be nothing to learn.")


def mask_loss(logits: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """1 - soft Dice of each picture + binary cross-entropy: logits and masks (B, 1, S, S) -> scalar."""
    share, truth = torch.sigmoid(logits).flatten(1), masks.flatten(1)
    overlap = (2 * (share * truth).sum(1) + SMOOTH) / (share.sum(1) + truth.sum(1) + SMOOTH)
    return (1 - overlap).mean() + functional.binary_cross_entropy_with_logits(logits, masks)


def diagnosis_loss(
    logits: torch.Tensor, possible: torch.Tensor, weights: torch.Tensor, smoothing: float = 0.0
) -> torch.Tensor:
    """-log of the probability that one of the possible diagnoses is right: (B, 3), (B, 3) bool -> scalar.

    `smoothing` is the weight of the mean of -log over all diagnoses. Each picture weighs as the mean of `weights` (3,)
    over what is possible; one that may be anything teaches nothing. Source: ours; cross-entropy with smoothed labels
    where one is possible.
    """
    allowed = torch.logsumexp(logits.masked_fill(~possible, float("-inf")), dim=1)
    total = torch.logsumexp(logits, dim=1)
    missing = (1 - smoothing) * (total - allowed) + smoothing * (total - logits.mean(dim=1))
    weight = (possible * weights).sum(1) / possible.sum(1) * ~possible.all(1)
    return (weight * missing).sum() / weight.sum().clamp_min(1e-6)


def diagnosis_weights(possible: torch.Tensor, balance: float) -> torch.Tensor:
    """(1 / how common) to the power of `balance` of each diagnosis, (3,), mean 1 over those that are there."""
    known = possible[possible.sum(1) == 1].float()
    counts = known.sum(0) if len(known) else torch.ones(3)
    weights = torch.where(counts > 0, counts.clamp_min(1), counts.sum().clamp_min(1)) ** -balance
    return weights / weights.mean()
