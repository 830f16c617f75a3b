"""Views -> pictures for the look network, each with one object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from samantic.datasets.labelled_view import LabelledView
from samantic.segsam.training.augmentation import look_of
from samantic.segsam.training.batches import SMALLEST_OBJECT, as_another_patient, object_in

WHOLE_SHARE = 0.35
"""Of the pictures that show the whole view: there a lone click is answered first (ours)."""

SYNTHESIS_SHARE = 0.7


@dataclass(frozen=True, eq=False)
class LookBatch:
    """`images` (N, 3, S, S) in 0 to 255; `shares` (N, g, g), how much of each cell of the mask grid the object takes.

    `is_whole` (N,) marks pictures of whole views; the others are zoomed to the object.
    """

    images: torch.Tensor
    shares: np.ndarray
    is_whole: np.ndarray


def draw_looks(
    views: Sequence[LabelledView], image_size: int, mask_grid: int, random: np.random.Generator
) -> LookBatch | None:
    """One picture of each view that shows a structure; None if none does."""
    images, shares, is_whole = [], [], []
    for view in views:
        view = as_another_patient(view, random, SYNTHESIS_SHARE)
        whole = bool(random.random() < WHOLE_SHARE)
        values = np.unique(view.labels)[np.unique(view.labels) > 0]
        if not len(values):
            continue
        region = object_in(view.labels == random.choice(values), random)
        look = look_of(view, region, image_size, random, whole)
        share = functional.avg_pool2d(look.share[None, None], image_size // mask_grid)[0, 0].numpy()
        if (share >= 0.5).sum() < SMALLEST_OBJECT:
            continue
        images.append(look.image)
        shares.append(share)
        is_whole.append(whole)
    return LookBatch(torch.stack(images), np.stack(shares), np.array(is_whole)) if images else None
