"""What a prompt is worth without looking at the image: the rows that every table of prompts needs beside it."""

from __future__ import annotations

import numpy as np


def ellipse_in_box(shape: tuple[int, ...], box_xyxy: tuple[float, float, float, float]) -> np.ndarray:
    """Return the ellipse inscribed in half-open bounds (x0, y0, x1, y1), as a mask (H, W) bool."""
    x0, y0, x1, y1 = box_xyxy
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    across = (x - (x0 + x1) / 2) / max((x1 - x0) / 2, 0.5)
    down = (y - (y0 + y1) / 2) / max((y1 - y0) / 2, 0.5)
    return across**2 + down**2 <= 1.0


def disc_at_click(
    shape: tuple[int, ...], click_xy: tuple[float, float], radius_mm: float, spacing_yx_mm: tuple[float, float]
) -> np.ndarray:
    """Return the disc of a radius around a click (x, y), as a mask (H, W) bool."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float64)
    return np.hypot((x - click_xy[0]) * spacing_yx_mm[1], (y - click_xy[1]) * spacing_yx_mm[0]) <= radius_mm
