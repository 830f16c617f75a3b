"""What the prompt-free head learns from kept embeddings, and what keeps it from forgetting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from samantic.sam.image_encoder import FeatureMaps
from samantic.segsam.prompt_free_head import PromptFreeHead
from samantic.segsam.training.prompt_free_loss import MapTargets, prompt_free_loss
from samantic.segsam.training.retraining.slices import StudySlice

NOISE = 0.1
"""Standard deviation of the noise on feature maps, of the channel's own."""

GAIN = 0.1
"""Spread of the logarithm of a channel's random gain."""


@dataclass(frozen=True, eq=False)
class EarlierHead:
    """The head as it was, with the first `num_classes` of the classes that are learned now."""

    head: PromptFreeHead
    num_classes: int


def targets_of(slices: Sequence[StudySlice], row_of: Mapping[int, int], device: torch.device) -> MapTargets:
    """What the labels of some slices say; `row_of` says which of the head's classes each of the network's is."""
    num_classes = len(row_of)
    grid = slices[0].shares.shape[-1]
    shares = torch.zeros(len(slices), num_classes + 1, grid, grid)
    known = torch.zeros(len(slices), num_classes, dtype=torch.bool)
    for row, item in enumerate(slices):
        rows = [row_of[index] for index in item.classes]
        shares[row, [0, *(index + 1 for index in rows)]] = item.shares.float()
        known[row, rows] = True
    return MapTargets(shares.to(device), known.to(device))


def map_loss(
    head: PromptFreeHead,
    features: FeatureMaps,
    targets: MapTargets,
    labelled: torch.Tensor,
    earlier: EarlierHead | None,
    distillation_weight: float,
    random: np.random.Generator,
) -> torch.Tensor:
    """The loss of the labels on the `labelled` (B,) pictures, and of the old answers on all that has no label."""
    logits = head(disturbed(features, random)).float()
    loss = logits.sum() * 0
    if labelled.any():
        loss = loss + prompt_free_loss(logits[labelled], MapTargets(targets.shares[labelled], targets.known[labelled]))
    # Where the labels speak of all old classes there is nothing to ask the old head for.
    if earlier is not None and distillation_weight > 0 and not targets.known[:, : earlier.num_classes].all():
        with torch.no_grad():
            before = earlier.head(features).float()
        loss = loss + distillation_weight * distillation_loss(logits, before, targets)
    return loss


def distillation_loss(logits: torch.Tensor, before: torch.Tensor, targets: MapTargets) -> torch.Tensor:
    """KL divergence of the answers (B, K + 1, h, w) from the earlier ones (B, K' + 1, h, w), K' <= K: a scalar.

    Where a label says what is there, it is right and the old answer is not asked. Elsewhere both say what they think
    of the background and of the classes that nobody looked for; what the earlier head took for background may be one
    of the classes that came since (Cermelli et al. 2020, arXiv 2002.00718).
    """
    old = before.shape[1] - 1
    known = targets.known[:, :, None, None]
    nothing = torch.finfo(logits.dtype).min / 4
    masked = logits.masked_fill(torch.cat([torch.zeros_like(known[:, :1]), known], dim=1), nothing)
    background = torch.cat([masked[:, :1], masked[:, old + 1 :]], dim=1).logsumexp(dim=1, keepdim=True)
    now = torch.cat([background, masked[:, 1 : old + 1]], dim=1).log_softmax(dim=1)
    asked = torch.cat([torch.zeros_like(known[:, :1]), known[:, :old]], dim=1)
    then = before.masked_fill(asked, nothing).log_softmax(dim=1)
    divergence = functional.kl_div(now, then, reduction="none", log_target=True).sum(dim=1)
    # Pictures without any label are asked everywhere, also outside the picture.
    nowhere = ~targets.known.any(dim=1)
    unlabelled = torch.where(nowhere[:, None, None], torch.ones_like(targets.shares[:, 0]), targets.shares[:, 0])
    return (divergence * unlabelled).mean()


def disturbed(features: FeatureMaps, random: np.random.Generator) -> FeatureMaps:
    """Feature maps with noise and another gain a channel; mirror images would swap left and right (ours)."""
    changed = {}
    for name, maps in features.items():
        generator = torch.Generator().manual_seed(int(random.integers(2**31)))
        gain = torch.exp(GAIN * torch.randn(maps.shape[:2], generator=generator))[:, :, None, None].to(maps.device)
        noise = torch.randn(maps.shape, generator=generator).to(maps.device)
        spread = maps.std(dim=(2, 3), keepdim=True)
        changed[name] = maps * gain + NOISE * spread * noise
    return changed
