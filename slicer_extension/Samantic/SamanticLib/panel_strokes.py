"""What a hand drew on one slice, as voxels: a line with a brush, or the area inside a loop."""

from __future__ import annotations

import numpy as np

from SamanticLib.errors import SamanticError
from SamanticLib.geometry import Voxel
from SamanticLib.prompts import BACKGROUND_SCRIBBLE, FOREGROUND_SCRIBBLE, LabelCrop

BRUSH_RADIUS = 1.0  # voxels
STEP = 0.5  # voxels between the places where the brush touches


def scribble(path_ijk: np.ndarray, shape_ijk: Voxel, axis: int, positive: bool) -> LabelCrop:
    """Return the voxels under a brush that followed a path (N, 3) of fractional voxels on the slice of its first point.

    Raises SamanticError for a path outside the image.
    """
    path, index, across = _on_slice(path_ijk, shape_ijk, axis)
    touched = np.concatenate([_between(one, other) for one, other in zip(path[:-1], path[1:])] or [path])
    reach = np.arange(-np.ceil(BRUSH_RADIUS), np.ceil(BRUSH_RADIUS) + 1)
    brush = np.stack(np.meshgrid(reach, reach, indexing="ij"), axis=-1).reshape(-1, 2)
    brush = brush[np.linalg.norm(brush, axis=1) <= BRUSH_RADIUS]
    pixels = (np.floor(touched + 0.5)[:, None] + brush[None]).reshape(-1, 2).astype(int)
    return _crop(pixels, shape_ijk, axis, index, across, FOREGROUND_SCRIBBLE if positive else BACKGROUND_SCRIBBLE)


def lasso(path_ijk: np.ndarray, shape_ijk: Voxel, axis: int) -> LabelCrop:
    """Return the voxels whose centres lie inside a loop (N, 3), and those on it, as what belongs to the object.

    Raises SamanticError for a loop outside the image.
    """
    path, index, across = _on_slice(path_ijk, shape_ijk, axis)
    closed = np.concatenate([path, path[:1]])
    edge = np.concatenate([_between(one, other) for one, other in zip(closed[:-1], closed[1:])])
    edge = np.clip(edge, 0, np.array([shape_ijk[along] - 1 for along in across]))
    low, high = np.floor(edge.min(axis=0)).astype(int), np.ceil(edge.max(axis=0)).astype(int)
    grid = np.stack(np.meshgrid(*(np.arange(a, b + 1) for a, b in zip(low, high)), indexing="ij"), axis=-1)
    inside = np.zeros(grid.shape[:2], bool)
    for (x0, y0), (x1, y1) in zip(closed[:-1], closed[1:]):
        if y0 == y1:
            continue
        # A ray towards smaller x is crossed an odd number of times from a place inside.
        crosses = (grid[..., 1] < y0) != (grid[..., 1] < y1)
        inside ^= crosses & (grid[..., 0] > x0 + (grid[..., 1] - y0) * (x1 - x0) / (y1 - y0))
    pixels = np.concatenate([grid[inside], np.floor(edge + 0.5).astype(int)])
    return _crop(pixels, shape_ijk, axis, index, across, FOREGROUND_SCRIBBLE)


def _on_slice(path_ijk: np.ndarray, shape_ijk: Voxel, axis: int) -> tuple[np.ndarray, int, tuple[int, int]]:
    path = np.asarray(path_ijk, dtype=float).reshape(-1, 3)
    if len(path) == 0 or not np.isfinite(path).all():
        raise SamanticError("Nothing was drawn; keep the button pressed while you draw.")
    index = int(np.floor(path[0, axis] + 0.5))
    if not 0 <= index < shape_ijk[axis]:
        raise SamanticError("The drawing lies outside the image; draw on a slice of the image.")
    first, second = (along for along in range(3) if along != axis)
    return path[:, (first, second)], index, (first, second)


def _between(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    count = max(1, int(np.ceil(np.linalg.norm(other - one) / STEP)))
    return one + np.linspace(0, 1, count + 1)[:, None] * (other - one)


def _crop(
    pixels: np.ndarray, shape_ijk: Voxel, axis: int, index: int, across: tuple[int, int], value: int
) -> LabelCrop:
    size = np.array([shape_ijk[along] for along in across])
    pixels = pixels[((pixels >= 0) & (pixels < size)).all(axis=1)]
    if len(pixels) == 0:
        raise SamanticError("The drawing lies outside the image; draw on the image.")
    low, high = pixels.min(axis=0), pixels.max(axis=0) + 1
    drawn = np.zeros(high - low, np.uint8)
    drawn[tuple((pixels - low).T)] = value
    extent = [0] * 6
    extent[2 * axis : 2 * axis + 2] = [index, index + 1]
    for number, along in enumerate(across):
        extent[2 * along : 2 * along + 2] = [int(low[number]), int(high[number])]
    return LabelCrop(np.expand_dims(drawn, axis), tuple(extent))  # type: ignore[arg-type]
