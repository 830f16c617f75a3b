"""Prompts in the pixels of a picture -> the network's batch of prompts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch

from samantic.segsam.input_transform import InputTransform
from samantic.segsam.prompt_batch import BOX_LOWER_RIGHT, BOX_UPPER_LEFT, PADDING, PromptBatch
from samantic.segsam.second_look import Look
from samantic.segsam.view_prompts import ViewPrompts

DRAWN_MASK_LOGIT = 6.0

Shape = tuple[int, int]
Spacing = tuple[float, float]


class Viewer(Protocol):
    """A network that is shown pictures, or parts of them, in a square input."""

    @property
    def low_resolution_size(self) -> int: ...

    def input_transform(self, shape: Shape, spacing_yx_mm: Spacing) -> InputTransform: ...


def prompt_tensors(
    network: Viewer,
    prompts: Sequence[ViewPrompts],
    looks: Sequence[Look],
    image_index: Sequence[int],
    shape: Shape,
    spacing_yx_mm: Spacing,
) -> PromptBatch:
    """The prompts of N objects of a picture (rows, cols), each as its look sees them, on the CPU."""
    count, grid = len(prompts), network.low_resolution_size
    longest = max(len(item.points_xy) + 2 * (item.box_xyxy is not None) for item in prompts)
    points = np.zeros((count, max(1, longest), 2), dtype=np.float32)
    labels = np.full(points.shape[:2], PADDING, dtype=np.int64)
    masks, has_mask = torch.zeros(count, 1, grid, grid), torch.zeros(count, dtype=torch.bool)
    for row, (item, look) in enumerate(zip(prompts, looks, strict=True)):
        transform = network.input_transform(look.shape, spacing_yx_mm)
        coordinates, kinds = _tokens(item)
        points[row, : len(kinds)] = transform.points(coordinates - (look.x0, look.y0))
        labels[row, : len(kinds)] = kinds
        if item.low_res_logits is not None:
            masks[row] = item.low_res_logits.seen_from(look, transform, grid, shape)
        elif item.mask is not None:
            masks[row] = transform.mask_logits(look.cut(item.mask), grid, DRAWN_MASK_LOGIT)
        has_mask[row] = item.low_res_logits is not None or item.mask is not None
    return PromptBatch(
        torch.from_numpy(points), torch.from_numpy(labels), masks, has_mask, torch.tensor(image_index, dtype=torch.long)
    )


def _tokens(prompts: ViewPrompts) -> tuple[np.ndarray, list[int]]:
    """Clicks, then the corners of the box; bounds are edges, half a pixel before the centre of the pixel they name."""
    coordinates = np.asarray(prompts.points_xy, dtype=np.float64).reshape(-1, 2)
    kinds = [int(label) for label in prompts.point_labels]
    if prompts.box_xyxy is not None:
        x0, y0, x1, y1 = prompts.box_xyxy
        corners = np.array([(x0 - 0.5, y0 - 0.5), (x1 - 0.5, y1 - 0.5)])
        return np.concatenate([coordinates, corners]), [*kinds, BOX_UPPER_LEFT, BOX_LOWER_RIGHT]
    return coordinates, kinds
