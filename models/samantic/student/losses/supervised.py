"""What labels teach."""

from __future__ import annotations

import torch
from torch.nn import functional


def supervised_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Cross entropy and soft Dice: logits (B, 1 + K, H, W) and labels (B, H, W), 0 background -> scalar."""
    return functional.cross_entropy(logits.float(), labels) + soft_dice_loss(logits, labels)


def soft_dice_loss(logits: torch.Tensor, labels: torch.Tensor, known: torch.Tensor | None = None) -> torch.Tensor:
    """1 - soft Dice, mean over pictures and classes but the background; only pixels that are `known` (B, H, W) count.

    A class that a picture does not show, and that is not seen in it, costs nothing.
    """
    shares = torch.softmax(logits.float(), dim=1)[:, 1:].flatten(2)
    truth = functional.one_hot(labels, logits.shape[1]).permute(0, 3, 1, 2)[:, 1:].flatten(2).float()
    if known is not None:
        weight = known.flatten(1).unsqueeze(1).float()
        shares, truth = shares * weight, truth * weight
    overlap = (shares * truth).sum(dim=2)
    return (1 - (2 * overlap + 1) / (shares.sum(dim=2) + truth.sum(dim=2) + 1)).mean()
