"""The losses of SEG-SAM: L_bin, L_sem, L_bce and L_cons."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from monai.losses import DiceLoss, FocalLoss
from torch.nn import functional

from samantic.segsam.cross_mask_alignment import cross_mask_alignment
from samantic.segsam.semantic_agnostic_decoder import BinaryMasks
from samantic.segsam.semantic_aware_decoder import SemanticMasks

FOCAL_WEIGHT = 20.0
"""As in SAM and SAM-Med2D; SEG-SAM gives no weights."""

SEMANTIC_WEIGHT = 0.5
"""Ours: at 1 the name of the object drowns its border early in a short run from a random start."""


NO_CLASS = -1
"""Class index of a prompted region that is none of the classes: background everywhere in M_s (ours)."""


@dataclass(frozen=True)
class SemanticTargets:
    """What the semantic path is to answer for N objects.

    `class_index` (N,) of the prompted object or `NO_CLASS`; `present` and `known` (N, K): which classes are there, and
    of which we know whether they are.
    """

    class_index: torch.Tensor
    present: torch.Tensor
    known: torch.Tensor


def binary_loss(binary: BinaryMasks, truth: torch.Tensor, ambiguous: torch.Tensor) -> torch.Tensor:
    """L_bin = 20 Focal + Dice + MSE of the predicted IoU, per object (N,); `truth` (N, H, W) in {0, 1}.

    Mask 0 always learns. For `ambiguous` objects (N,), prompted by a single point, the best of masks 1 to 3 learns as
    well (SAM, Kirillov et al. 2023, section 3).
    """
    count, masks = binary.mask_logits.shape[:2]
    logits = binary.mask_logits.flatten(0, 1)[:, None]
    target = truth[:, None].expand(-1, masks, -1, -1).flatten(0, 1)[:, None]
    focal = FocalLoss(alpha=0.25, gamma=2.0, reduction="none")(logits, target).mean(dim=(1, 2, 3))
    dice = DiceLoss(sigmoid=True, reduction="none")(logits, target).flatten(1).mean(dim=1)
    with torch.no_grad():
        predicted = logits > 0
        intersection = (predicted & (target > 0.5)).sum(dim=(1, 2, 3))
        union = (predicted | (target > 0.5)).sum(dim=(1, 2, 3)).clamp(min=1)
        iou = intersection / union
    quality = functional.mse_loss(binary.predicted_iou.flatten(), iou, reduction="none")
    loss = (FOCAL_WEIGHT * focal + dice + quality).view(count, masks)
    return loss[:, 0] + torch.where(ambiguous, loss[:, 1:].min(dim=1).values, torch.zeros_like(loss[:, 0]))


def semantic_loss(semantic: SemanticMasks, truth: torch.Tensor, targets: SemanticTargets) -> torch.Tensor:
    """L_sem = CE + Dice on M_s, per object (N,): the prompted class on the object, background elsewhere.

    A region without a class has no Dice: nothing of it is to be found.
    """
    logits = semantic.semantic_logits
    inside = _resized(truth, logits) >= 0.5
    labels = torch.where(inside, targets.class_index[:, None, None] + 1, 0)
    cross_entropy = functional.cross_entropy(logits, labels, reduction="none")
    # Objects are small: without equal shares for both sides the name of the object hardly counts.
    balanced = _mean_where(cross_entropy, inside) + _mean_where(cross_entropy, ~inside)
    probability = _class_probability(logits, targets.class_index)
    dice = DiceLoss(reduction="none")(probability[:, None], inside[:, None].float()).flatten(1).mean(dim=1)
    return balanced + dice * (targets.class_index != NO_CLASS)


def presence_loss(presence_logits: torch.Tensor, targets: SemanticTargets) -> torch.Tensor:
    """L_bce on C_s, per object (N,), over the classes known to be there or not, other than the prompted one."""
    known = targets.known.clone()
    has_class = targets.class_index != NO_CLASS
    known[has_class, targets.class_index[has_class]] = False
    loss = functional.binary_cross_entropy_with_logits(presence_logits, targets.present.float(), reduction="none")
    return (loss * known).sum(dim=1) / known.sum(dim=1).clamp(min=1)


def alignment_loss(binary: BinaryMasks, semantic: SemanticMasks, targets: SemanticTargets) -> torch.Tensor:
    """L_cons between sigmoid(M_b) and softmax(M_s)[class], per object (N,); 0 for a region without a class."""
    probability = _class_probability(semantic.semantic_logits, targets.class_index)
    mask = _resized(torch.sigmoid(binary.mask_logits[:, 0]), probability)
    return cross_mask_alignment(mask, probability) * (targets.class_index != NO_CLASS)


def _class_probability(semantic_logits: torch.Tensor, class_index: torch.Tensor) -> torch.Tensor:
    log_total = torch.logsumexp(semantic_logits, dim=1)
    of_class = semantic_logits[torch.arange(len(class_index), device=class_index.device), class_index + 1]
    return torch.exp(of_class - log_total)


def _resized(masks: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return functional.interpolate(masks[:, None].float(), size=like.shape[-2:], mode="area")[:, 0]


def _mean_where(values: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    return (values * where).sum(dim=(1, 2)) / where.sum(dim=(1, 2)).clamp(min=1)
