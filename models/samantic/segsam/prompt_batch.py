"""Prompts of several objects, as a network receives them."""

from __future__ import annotations

from dataclasses import dataclass

import torch

PADDING, BACKGROUND, FOREGROUND, BOX_UPPER_LEFT, BOX_LOWER_RIGHT = -1, 0, 1, 2, 3
"""Point labels, numbered as in SAM."""


@dataclass(frozen=True)
class PromptBatch:
    """Prompts of N objects in the pixels of the network's square input.

    `points_xy` (N, P, 2) with `point_labels` (N, P); a box is two points labelled 2 and 3; short rows are padded with
    label -1. `mask_logits` (N, 1, g, g), on the network's mask grid, is the previous mask where `has_mask` (N,) says
    so, zeros elsewhere. `image_index` (N,) says which image of the batch each object lies on.
    """

    points_xy: torch.Tensor
    point_labels: torch.Tensor
    mask_logits: torch.Tensor
    has_mask: torch.Tensor
    image_index: torch.Tensor

    def to(self, device: torch.device) -> PromptBatch:
        """The same prompts on another device."""
        return PromptBatch(*(tensor.to(device) for tensor in vars(self).values()))
