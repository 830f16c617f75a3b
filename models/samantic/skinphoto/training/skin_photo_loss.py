"""What the network is punished for."""

from __future__ import annotations

import torch
from torch.nn import functional

from samantic.skinphoto.classes import CLASS_NAMES

CLASS_WEIGHTS = (1.0, 1.0, 2.0)
"""In the cross entropy; lesions are small."""


def skin_photo_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Cross entropy and one minus the soft Dice of each class over the batch: logits (B, 3, H, W), labels (B, H, W).

    The Dice counts the pixels of the whole batch, so that a photograph without a class says nothing absurd.
    Source: ours.
    """
    weights = torch.tensor(CLASS_WEIGHTS, device=logits.device)
    entropy = functional.cross_entropy(logits, labels, weight=weights)
    shares = logits.softmax(dim=1)
    truth = functional.one_hot(labels, 1 + len(CLASS_NAMES)).movedim(-1, 1).to(shares.dtype)
    overlap, total = (shares * truth).sum(dim=(0, 2, 3)), (shares + truth).sum(dim=(0, 2, 3))
    return entropy + (1 - (2 * overlap + 1) / (total + 1)).mean()
