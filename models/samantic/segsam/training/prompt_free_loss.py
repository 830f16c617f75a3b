"""What the prompt-free head learns from, also where only some classes are labelled."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional


@dataclass(frozen=True, eq=False)
class MapTargets:
    """`shares` (B, K + 1, h, w): how much of each cell is background or a class; they sum to 1.

    `known` (B, K) bool: the classes that the labels would show if they were there.
    """

    shares: torch.Tensor
    known: torch.Tensor


def prompt_free_loss(logits: torch.Tensor, targets: MapTargets) -> torch.Tensor:
    """Cross entropy + Dice (as in nnU-Net) of logits (B, K + 1, h, w): a scalar.

    What is not labelled may be background or any class that nobody looked for: their probabilities are added up (the
    marginal loss of Shi et al. 2021, arXiv 2007.03868).
    """
    log_probability = marginal_log_probability(logits.float(), targets.known)
    entropy = -(targets.shares * log_probability.clamp(min=-30)).sum(dim=1).mean()
    probability = log_probability[:, 1:].exp()
    shares = targets.shares[:, 1:]
    overlap = (probability * shares).sum(dim=(2, 3))
    total = probability.sum(dim=(2, 3)) + shares.sum(dim=(2, 3))
    # Picture by picture: the one class of a photograph weighs as much as all organs of a slice together.
    shown = (shares.sum(dim=(2, 3)) > 0).float()
    missed = ((1 - (2 * overlap + 1) / (total + 1)) * shown).sum(dim=1) / shown.sum(dim=1).clamp(min=1)
    return entropy + missed.mean()


def marginal_log_probability(logits: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Log probabilities (B, K + 1, h, w): of the known classes, and of all else in the background's channel.

    An unknown class has probability 0.
    """
    nobody_looked = torch.cat([torch.ones_like(known[:, :1]), ~known], dim=1)[:, :, None, None]
    rest = logits.masked_fill(~nobody_looked, -torch.inf).logsumexp(dim=1, keepdim=True)
    total = logits.logsumexp(dim=1, keepdim=True)
    classes = torch.where(nobody_looked[:, 1:], torch.full_like(logits[:, 1:], -1e4), logits[:, 1:] - total)
    return torch.cat([rest - total, classes], dim=1)


def shares_of(labels: torch.Tensor, channels: torch.Tensor, num_channels: int, grid: int) -> torch.Tensor:
    """Label values (S, S) -> shares (num_channels, grid, grid); `channels[v]` is the channel of value v."""
    shares = torch.zeros(num_channels, grid, grid)
    mapped = channels[labels]
    for channel in mapped.unique().tolist():
        of_one = (mapped == channel).float()[None, None]
        shares[channel] = functional.adaptive_avg_pool2d(of_one, grid)[0, 0]
    return shares
