"""Connected parts of a label map, each with what is needed to prompt for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from samantic.segsam.interaction import deepest_click
from samantic.segsam.view_prompts import ViewPrompts


@dataclass(frozen=True, eq=False)
class Region:
    """A connected part of one class in a picture: `mask` is cut to the half-open bounds `box_xyxy`.

    `value` of the class; `surety` the mean of its probabilities.
    """

    value: int
    box_xyxy: tuple[int, int, int, int]
    mask: np.ndarray
    surety: float

    @property
    def pixels(self) -> int:
        return int(self.mask.sum())

    @property
    def window(self) -> tuple[slice, slice]:
        """Where the mask lies in the picture."""
        x0, y0, x1, y1 = self.box_xyxy
        return slice(y0, y1), slice(x0, x1)

    def prompts(self, shape: tuple[int, int]) -> ViewPrompts:
        """Its box, its mask and the point deepest inside it, on a picture (rows, cols)."""
        x0, y0, x1, y1 = self.box_xyxy
        whole = np.zeros(shape, bool)
        whole[y0:y1, x0:x1] = self.mask
        x, y, _ = deepest_click(self.mask)
        box = (float(x0), float(y0), float(x1), float(y1))
        return ViewPrompts(np.array([[x0 + x, y0 + y]]), np.array([1]), box, whole)


def regions_of(labels: np.ndarray, confidence: np.ndarray) -> list[Region]:
    """The connected parts of labels (rows, cols), the largest first."""
    found = []
    for value, around in enumerate(ndimage.find_objects(labels), start=1):
        if around is None:
            continue
        parts, _ = ndimage.label(labels[around] == value)
        for number, inside in enumerate(ndimage.find_objects(parts), start=1):
            mask = parts[inside] == number
            y0, x0 = around[0].start + inside[0].start, around[1].start + inside[1].start
            rows, columns = mask.shape
            box = (x0, y0, x0 + columns, y0 + rows)
            found.append(Region(value, box, mask, float(confidence[y0 : y0 + rows, x0 : x0 + columns][mask].mean())))
    return sorted(found, key=lambda region: -region.pixels)


def sure_regions(regions: Sequence[Region], lowest_surety: float, share_of_surest: float) -> list[Region]:
    """Those that are sure enough in themselves and beside the surest of their class, in their order."""
    surest: dict[int, float] = {}
    for region in regions:
        surest[region.value] = max(surest.get(region.value, lowest_surety), region.surety)
    return [region for region in regions if region.surety >= max(lowest_surety, share_of_surest * surest[region.value])]
