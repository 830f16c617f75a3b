"""The second look at work: which part of the picture each object needs, and what the look network answers there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from samantic.segsam.clicked_parts import clicked_parts
from samantic.segsam.look_network import LookNetwork, expected_iou
from samantic.segsam.prompt_tensors import prompt_tensors
from samantic.segsam.second_look import LARGEST_LOGIT, Look, LookLogits, bounds_of, look_at
from samantic.segsam.view_prompts import ViewPrompts

AT_ONCE = 16
"""Objects in one pass: memory stays bounded however many are prompted."""

Spacing = tuple[float, float]


class Looking:
    """Answers prompts on a picture (rows, cols, 3) uint8 with a look network, without state.

    A box is looked at straight away, a correction from where the answer was found that it corrects; lone clicks are
    answered on the whole picture first, then around that answer.
    """

    def __init__(self, network: LookNetwork, device: torch.device) -> None:
        self._network = network
        self._device = device

    def answer(
        self, picture: np.ndarray, spacing_yx_mm: Spacing, prompts: Sequence[ViewPrompts]
    ) -> tuple[list[LookLogits], list[float]]:
        """The answer and the IoU to expect of each object."""
        shape = (picture.shape[0], picture.shape[1])
        items = list(prompts)
        lone = [row for row, item in enumerate(items) if _is_lone(item)]
        whole = [Look.whole(shape)] * len(lone)
        found = self._look(picture, spacing_yx_mm, [items[row] for row in lone], whole)
        for row, first in zip(lone, found, strict=True):
            items[row] = items[row].refining(first)
        looks = [where_to_look(item, shape, spacing_yx_mm) for item in items]
        answers = self._look(picture, spacing_yx_mm, items, looks)
        scores = expected_iou(torch.stack([answer.logits for answer in answers])).tolist() if answers else []
        return answers, scores

    def _look(
        self, picture: np.ndarray, spacing_yx_mm: Spacing, prompts: Sequence[ViewPrompts], looks: Sequence[Look]
    ) -> list[LookLogits]:
        answers: list[LookLogits] = []
        for start in range(0, len(prompts), AT_ONCE):
            items, windows = prompts[start : start + AT_ONCE], looks[start : start + AT_ONCE]
            shape = (picture.shape[0], picture.shape[1])
            distinct = list(dict.fromkeys(windows))
            transforms = {look: self._network.input_transform(look.shape, spacing_yx_mm) for look in distinct}
            images = torch.cat([transforms[look].image(look.cut(picture)) for look in distinct])
            index = [distinct.index(look) for look in windows]
            batch = prompt_tensors(self._network, items, windows, index, shape, spacing_yx_mm).to(self._device)
            images = images.to(self._device, memory_format=torch.channels_last)
            logits = self._network(images, batch).float().clamp(-LARGEST_LOGIT, LARGEST_LOGIT).cpu()
            answers += [LookLogits(*answer, transforms[answer[1]]) for answer in zip(logits, windows, strict=True)]
        return answers


def where_to_look(prompts: ViewPrompts, shape: tuple[int, int], spacing_yx_mm: Spacing) -> Look:
    """Around the box, else around the mask that there is, and around every foreground click; else the whole picture."""
    foreground = np.asarray(prompts.points_xy, dtype=np.float64).reshape(-1, 2)[prompts.point_labels == 1]
    earlier = prompts.low_res_logits
    bounds = prompts.box_xyxy
    if bounds is None and earlier is not None:
        bounds = bounds_of(clicked_parts(earlier.in_picture(shape) > 0, prompts))
    elif bounds is None and prompts.mask is not None:
        bounds = bounds_of(prompts.mask)
    if bounds is None:
        return Look.whole(shape)
    x0, y0, x1, y1 = bounds
    if len(foreground):
        (left, top), (right, bottom) = foreground.min(axis=0), foreground.max(axis=0) + 1
        x0, y0, x1, y1 = min(x0, left), min(y0, top), max(x1, right), max(y1, bottom)
    if earlier is not None and earlier.look != Look.whole(shape) and earlier.look.holds((x0, y0, x1, y1)):
        # What the last answer was found in shows the correction as well.
        return earlier.look
    return look_at((x0, y0, x1, y1), spacing_yx_mm)


def _is_lone(prompts: ViewPrompts) -> bool:
    """Whether clicks are all there is: they say where, but not how far."""
    return prompts.box_xyxy is None and prompts.mask is None and prompts.low_res_logits is None
