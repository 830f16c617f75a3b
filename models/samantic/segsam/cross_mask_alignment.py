"""The two decoders must agree on where the object is (SEG-SAM, cross-mask spatial alignment)."""

from __future__ import annotations

import torch


def cross_mask_alignment(binary: torch.Tensor, semantic: torch.Tensor) -> torch.Tensor:
    """Return L_cons = 1 - |M_s n M_b| / |M_s u M_b| of soft masks in [0, 1], both (N, H, W), as (N,) (SEG-SAM).

    Ours: the soft intersection is the product, so that the loss has a gradient everywhere.
    """
    intersection = (binary * semantic).sum(dim=(-2, -1))
    union = (binary + semantic - binary * semantic).sum(dim=(-2, -1))
    return 1.0 - (intersection + 1.0) / (union + 1.0)
