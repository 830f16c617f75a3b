"""Prompts in voxels -> prompts in the pixels of one picture."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from samantic.imaging import SliceView
from samantic.prompts import Box, PromptSet
from samantic.segsam.second_look import LookLogits

CLICKS_OF_A_SCRIBBLE = 6
"""A scribble counts as this many clicks spread over it (ours): training knows clicks, and a few say where it runs."""


@dataclass(frozen=True, eq=False)
class ViewPrompts:
    """What points at one object of a picture, x to the right and y down, pixel centres at whole numbers.

    `points_xy` (P, 2) with `point_labels` (P,), 1 foreground and 0 background; `box_xyxy` half-open bounds; `mask`
    (rows, cols) a drawn or existing mask; `low_res_logits` of the answer that these prompts refine, which go before
    `mask`.
    """

    points_xy: np.ndarray
    point_labels: np.ndarray
    box_xyxy: tuple[float, float, float, float] | None = None
    mask: np.ndarray | None = None
    low_res_logits: LookLogits | None = None

    @classmethod
    def from_prompt_set(cls, prompts: PromptSet, view: SliceView) -> ViewPrompts:
        """The prompts of one object; ValueError for several boxes, which are several objects (`objects_of`)."""
        objects = objects_of(prompts, view)
        if len(objects) != 1:
            raise ValueError(f"These prompts hold {len(objects)} boxes, and every box is an object; use objects_of.")
        return objects[0]

    def refining(self, low_res_logits: LookLogits) -> ViewPrompts:
        """The same prompts as a correction of an earlier answer."""
        return replace(self, low_res_logits=low_res_logits)


def objects_of(prompts: PromptSet, view: SliceView) -> tuple[ViewPrompts, ...]:
    """One object per box, or one object where there is no box.

    With several boxes a foreground click or scribble belongs to the boxes that it lies in, a background one to all.
    The prompts must be validated for this view.
    """
    points, labels = _clicks(prompts, view)
    mask = None if prompts.mask is None else view.extract(prompts.mask.array).astype(bool)
    boxes = [_box_xyxy(box, view) for box in prompts.boxes]
    if len(boxes) <= 1:
        return (ViewPrompts(points, labels, boxes[0] if boxes else None, mask),)
    objects = []
    for x0, y0, x1, y1 in boxes:
        inside = (points >= (x0, y0)).all(axis=1) & (points < (x1, y1)).all(axis=1)
        mine = inside | (labels == 0)
        objects.append(ViewPrompts(points[mine], labels[mine], (x0, y0, x1, y1), mask))
    return tuple(objects)


def _clicks(prompts: PromptSet, view: SliceView) -> tuple[np.ndarray, np.ndarray]:
    voxels = [np.array([point.voxel]) for point in prompts.points]
    signs = [np.array([point.positive]) for point in prompts.points]
    for scribble in prompts.scribbles:
        spread = _spread_over(np.asarray(scribble.voxels), CLICKS_OF_A_SCRIBBLE)
        voxels.append(spread)
        signs.append(np.full(len(spread), scribble.positive))
    if not voxels:
        return np.zeros((0, 2)), np.zeros(0, dtype=np.int64)
    return view.to_view(np.concatenate(voxels)), np.concatenate(signs).astype(np.int64)


def _spread_over(voxels: np.ndarray, count: int) -> np.ndarray:
    """Up to `count` voxels (N, 3), each as far as can be from those before; the first is nearest to the middle."""
    voxels = np.unique(voxels, axis=0)
    chosen = [int(np.linalg.norm(voxels - voxels.mean(axis=0), axis=1).argmin())]
    distance = np.linalg.norm(voxels - voxels[chosen[0]], axis=1)
    while len(chosen) < min(count, len(voxels)):
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, np.linalg.norm(voxels - voxels[chosen[-1]], axis=1))
    return voxels[chosen]


def _box_xyxy(box: Box, view: SliceView) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = view.box_to_view(box.lower_ijk, box.upper_ijk)
    return float(x0), float(y0), float(x1), float(y1)
