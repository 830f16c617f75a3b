"""Changes of segments: worked out first, then written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from SamanticLib.geometry import Extent, IjkToRas, as_extent, common_extent
from SamanticLib.layers import (
    checked_writable,
    grid_of,
    image_extent,
    is_empty,
    layer_of,
    layers_of,
    mask_in,
    sampled,
    values_drawn,
    values_in,
    view_of,
    write,
)
from SamanticLib.redrawing import redraw, shown_surfaces
from SamanticLib.undo import SegmentChange


def masks_in_the_way(
    segmentation: Any, segment_id: str, grid: IjkToRas, extent: Extent, mask: np.ndarray
) -> Mapping[str, np.ndarray]:
    """Return segment id -> voxels of `extent`, (i, j, k) bool, of all other segments that hold some of `mask`."""
    found = {}
    for layer in layers_of(segmentation):
        values = values_in(layer, grid, extent)
        drawn = values_drawn(values, mask)
        for other, value in layer.values.items():
            if other != segment_id and value in drawn:
                found[other] = values == value
    return found


def taken_away(segmentation: Any, segment_id: str, grid: IjkToRas, extent: Extent, mask: np.ndarray) -> SegmentChange:
    """Return the change by which a segment loses the voxels of a mask (i, j, k) over an extent of the image.

    In a segment that was drawn in another grid, its own voxels go whose middles lie in the mask.
    """
    layer = layer_of(segmentation, segment_id)
    if not is_empty(layer.image) and view_of(layer.image, grid, extent) is None:
        own = grid_of(layer.image)
        within = common_extent(_around(own, grid, extent), image_extent(layer.image))
        if within is not None:
            lost = sampled(mask, extent, grid, own, within)
            before = mask_in(segmentation, segment_id, own, within)
            return SegmentChange.between(segment_id, own, within, before, before & ~lost)
    before = mask_in(segmentation, segment_id, grid, extent)
    return SegmentChange.between(segment_id, grid, extent, before, before & ~mask)


def write_changes(segmentation: Any, changes: Sequence[SegmentChange]) -> None:
    """Write what changes say into segments, as one change for everybody who draws them.

    Raises SamanticError before anything is written.
    """
    for change in changes:
        checked_writable(segmentation, change.segment_id, change.grid, change.extent)
    images, surfaces = [], shown_surfaces(segmentation)
    # Removals first, so that fewer segments need a labelmap of their own.
    for part in ("removed", "added"):
        for change in changes:
            where = getattr(change, part).unpacked()
            if where.any():
                mask = where if part == "added" else np.zeros_like(where)
                images.append(write(segmentation, change.segment_id, change.grid, change.extent, mask, where))
    redraw(segmentation, images, {change.segment_id for change in changes}, surfaces)


def _around(own: IjkToRas, grid: IjkToRas, extent: Extent) -> Extent:
    corners = np.array(np.meshgrid(*(np.array(extent[2 * axis : 2 * axis + 2]) - 0.5 for axis in range(3))))
    between = np.linalg.inv(own) @ grid
    places = between[:3, :3] @ corners.reshape(3, -1) + between[:3, 3:]
    return as_extent(np.floor(places.min(axis=1)), np.ceil(places.max(axis=1)) + 1)
