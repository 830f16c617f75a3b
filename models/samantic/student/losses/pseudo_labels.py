"""What student and teacher agree about teaches as a label does, less."""

from __future__ import annotations

import torch
from torch.nn import functional

from samantic.student.losses.supervised import soft_dice_loss

UNKNOWN = 255
"""A pixel of a pseudo-label about which nothing is claimed."""


def pseudo_label_loss(
    logits: torch.Tensor, clean_logits: torch.Tensor, pseudo_labels: torch.Tensor, sure_from: float
) -> torch.Tensor:
    """Cross entropy and soft Dice of perturbed pictures, logits (B, 1 + K, H, W), against pseudo-labels (B, H, W).

    Where a pixel is UNKNOWN, what the student says about the clean picture takes its place, if its share is at least
    `sure_from`; other pixels do not count. Source: ours.
    """
    shares, guessed = torch.softmax(clean_logits.detach().float(), dim=1).max(dim=1)
    agreed = pseudo_labels != UNKNOWN
    labels = torch.where(agreed, pseudo_labels, guessed)
    known = agreed | (shares >= sure_from)
    each = functional.cross_entropy(logits.float(), labels, reduction="none")
    entropy = (each * known).sum() / known.sum().clamp_min(1)
    return entropy + soft_dice_loss(logits, labels, known)
