"""Simulated annotators: first prompts and corrective clicks."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from samantic.segsam.prompt_batch import BACKGROUND, BOX_LOWER_RIGHT, BOX_UPPER_LEFT, FOREGROUND

Click = tuple[float, float, int]
"""(x, y, label) in pixels; label as in `samantic.segsam.prompt_batch`."""


def jittered_box(mask: np.ndarray, fraction: float, random: np.random.Generator) -> tuple[float, float, float, float]:
    """Half-open bounds x0, y0, x1, y1 of a mask (H, W), every side moved by up to `fraction` of the box's own side."""
    rows, columns = np.nonzero(mask)
    x0, x1, y0, y1 = columns.min(), columns.max() + 1, rows.min(), rows.max() + 1
    moves = random.uniform(-fraction, fraction, size=4)
    height, width = mask.shape
    return (
        float(np.clip(x0 + moves[0] * (x1 - x0), 0, width - 1)),
        float(np.clip(y0 + moves[1] * (y1 - y0), 0, height - 1)),
        float(np.clip(x1 + moves[2] * (x1 - x0), 1, width)),
        float(np.clip(y1 + moves[3] * (y1 - y0), 1, height)),
    )


def box_clicks(box_xyxy: tuple[float, float, float, float]) -> list[Click]:
    """The two corner tokens of a half-open box."""
    x0, y0, x1, y1 = box_xyxy
    # The prompt encoder adds half a pixel to reach a pixel's centre; a bound is an edge already.
    return [(x0 - 0.5, y0 - 0.5, BOX_UPPER_LEFT), (x1 - 0.5, y1 - 0.5, BOX_LOWER_RIGHT)]


def interior_click(mask: np.ndarray, random: np.random.Generator) -> Click:
    """A foreground click inside a mask, more likely where it is thick."""
    depth = ndimage.distance_transform_cdt(np.pad(mask, 1))[1:-1, 1:-1].astype(np.float64)
    return (*_draw(depth, random), FOREGROUND)


def deepest_click(mask: np.ndarray) -> Click:
    """The foreground click farthest from the border, as a careful annotator would place it."""
    depth = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return float(x), float(y), FOREGROUND


def corrective_click(truth: np.ndarray, predicted: np.ndarray, random: np.random.Generator | None) -> Click | None:
    """A click in the largest connected error, at random or (without `random`) at its deepest point."""
    regions, count = ndimage.label(truth != predicted)
    if count == 0:
        return None
    largest = regions == 1 + int(np.argmax(np.bincount(regions.ravel())[1:]))
    x, y, _ = interior_click(largest, random) if random is not None else deepest_click(largest)
    return x, y, FOREGROUND if truth[int(y), int(x)] else BACKGROUND


def component_at(mask: np.ndarray, click: Click) -> np.ndarray:
    """The connected part of a mask (H, W) under a click."""
    regions, _ = ndimage.label(mask)
    return regions == regions[int(click[1]), int(click[0])]


def _draw(weights: np.ndarray, random: np.random.Generator) -> tuple[float, float]:
    flat = weights.ravel()
    index = random.choice(flat.size, p=flat / flat.sum())
    return float(index % weights.shape[1]), float(index // weights.shape[1])
