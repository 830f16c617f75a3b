"""From a stroke in a view to voxels on one slice of the image."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from SamanticLib.geometry import Extent, Voxel, box_extent, nearest_voxel, ras_to_ijk, slice_axis
from SamanticLib.prompts import BACKGROUND_SCRIBBLE, FOREGROUND_SCRIBBLE, LabelCrop
from SamanticLib.session_ports import SceneImage

from .prompt_effect import Stroke


def axis_of(stroke: Stroke, image: SceneImage) -> int:
    """Return the voxel axis across the slice that was drawn on; 2 for a picture."""
    return 2 if image.is_flat else slice_axis(stroke.slice_to_ras[:3, 2], image.ijk_to_ras)


def point_of(stroke: Stroke, image: SceneImage) -> Voxel:
    """Return the voxel that was clicked; OutsideImage where there is none."""
    i, j, k = _voxels(stroke.points_ras[:1], image)[0]
    return int(i), int(j), int(k)


def box_of(stroke: Stroke, image: SceneImage) -> Extent:
    """Return the half-open extent of a box, one voxel thick across its slice; OutsideImage where it misses."""
    axis = axis_of(stroke, image)
    corners = ras_to_ijk(stroke.points_ras, image.ijk_to_ras)
    corners[:, axis] = _index(corners, axis, image)
    return box_extent(corners, image.shape_ijk)


def scribble_of(stroke: Stroke, image: SceneImage, positive: bool, filled: bool) -> LabelCrop:
    """Return the voxels under a stroke, or within it, on its slice; OutsideImage where it leaves the image."""
    axis = axis_of(stroke, image)
    places = ras_to_ijk(stroke.points_ras, image.ijk_to_ras)
    index = _index(places, axis, image)
    places[:, axis] = index
    limits = np.array(image.shape_ijk) - 1
    places = np.clip(places, 0, limits)
    line = _along(places)
    first = np.minimum(line.min(axis=0), limits)
    last = line.max(axis=0)
    values = np.zeros(last - first + 1, np.uint8)
    value = FOREGROUND_SCRIBBLE if positive else BACKGROUND_SCRIBBLE
    values[tuple((line - first).T)] = value
    if filled:
        u, v = (other for other in range(3) if other != axis)
        inside = _inside(places[:, [u, v]] - first[[u, v]], (values.shape[u], values.shape[v]))
        values[np.expand_dims(inside, axis)] = value
    i, j, k = zip(first.tolist(), (last + 1).tolist(), strict=True)
    return LabelCrop(values, (*i, *j, *k))


def _voxels(points_ras: np.ndarray, image: SceneImage) -> np.ndarray:
    return nearest_voxel(ras_to_ijk(points_ras, image.ijk_to_ras), image.shape_ijk)


def _index(places: np.ndarray, axis: int, image: SceneImage) -> int:
    middle = np.median(places, axis=0, keepdims=True)
    others = [other for other in range(3) if other != axis]
    middle[:, others] = np.clip(middle[:, others], 0, np.array(image.shape_ijk)[others] - 1)
    return int(nearest_voxel(middle, image.shape_ijk)[0, axis])


def _along(places: np.ndarray) -> np.ndarray:
    """The voxels of a line through places (N, 3), without gaps."""
    pieces = [places[:1]]
    for start, end in pairwise(places):
        steps = max(1, int(np.ceil(2 * np.abs(end - start).max())))
        pieces.append(start + (end - start) * np.linspace(0, 1, steps + 1)[1:, None])
    return np.unique(np.floor(np.vstack(pieces) + 0.5).astype(np.int64), axis=0)


def _inside(polygon: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Which pixel centres lie inside a polygon (N, 2), by the even-odd rule."""
    u, v = np.meshgrid(np.arange(shape[0]), np.arange(shape[1]), indexing="ij")
    inside = np.zeros(shape, bool)
    for (u0, v0), (u1, v1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        if v0 == v1:
            continue
        crosses = (v0 > v) != (v1 > v)
        inside ^= crosses & (u < (u1 - u0) * (v - v0) / (v1 - v0) + u0)
    return inside
