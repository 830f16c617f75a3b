"""The mask of one slice -> the prompts of the slice beside it."""

from __future__ import annotations

import numpy as np

from samantic.segsam.propagation.shapes import deepest_point
from samantic.segsam.second_look import bounds_of
from samantic.segsam.view_prompts import ViewPrompts

BOX_SLOPE = 1.0
"""How far the object may spread from slice to slice, over the distance of the slices: its box grows by that (ours)."""


def spread(spacing_yx_mm: tuple[float, float], slice_distance_mm: float) -> tuple[float, float]:
    """Pixels, along rows and columns, by which an object may spread from one slice to the next; at least one."""
    down, across = (max(1.0, BOX_SLOPE * slice_distance_mm / spacing) for spacing in spacing_yx_mm)
    return down, across


def next_prompts(
    mask: np.ndarray, spacing_yx_mm: tuple[float, float], slice_distance_mm: float
) -> tuple[ViewPrompts, ViewPrompts]:
    """Two ways to point at the object of a mask (rows, cols) one slice further; their answers are averaged (ours).

    The mask with a click at its deepest point stays where the object was and loses what is new; the box, grown by how
    far the object may have spread, finds what is new and takes too much with it. ValueError for an empty mask.
    """
    bounds = bounds_of(mask)
    if bounds is None:
        raise ValueError("An empty mask does not say where the object is on the next slice.")
    click = np.array([deepest_point(mask)])
    down, across = spread(spacing_yx_mm, slice_distance_mm)
    x0, y0, x1, y1 = bounds
    rows, columns = mask.shape
    grown = (max(x0 - across, 0.0), max(y0 - down, 0.0), min(x1 + across, columns), min(y1 + down, rows))
    return (
        ViewPrompts(click, np.ones(1, np.int64), None, mask),
        ViewPrompts(np.zeros((0, 2)), np.zeros(0, np.int64), grown),
    )
