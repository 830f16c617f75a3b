"""The object that is being drawn, apart from what its segment held before and from what the person painted over it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from SamanticLib.geometry import Extent, common_extent, extent_shape, extent_slices, joined_extent

ReadCrop = Callable[[Extent], np.ndarray]
"""Reads what a segment holds in an extent of the image, bool (i, j, k)."""


@dataclass(frozen=True, eq=False)
class ObjectLayer:
    """What the model drew of one object, as bool (i, j, k) over `extent_ijk`.

    under: what the segment held before the object. drawn: the model's answers. shown: what the segment held after the
    last of them was pasted; where it holds something else by now, the person painted there. Source: ours.
    """

    extent_ijk: Extent
    under: np.ndarray
    drawn: np.ndarray
    shown: np.ndarray

    def seen(self, read: ReadCrop) -> ObjectLayer:
        """Return the layer after a paste: what the segment holds now is what is shown."""
        return ObjectLayer(self.extent_ijk, self.under, self.drawn, np.array(read(self.extent_ijk), bool))

    def slices_drawn(self, axis: int) -> tuple[int, ...]:
        """Return the indices of the slices along `axis` on which something is drawn."""
        others = tuple(other for other in range(3) if other != axis)
        return tuple(int(index) + self.extent_ijk[2 * axis] for index in np.flatnonzero(self.drawn.any(axis=others)))


def begun(extent: Extent, read: ReadCrop) -> ObjectLayer:
    """Return the layer of an object of which nothing is drawn yet."""
    under = np.array(read(extent), bool)
    return ObjectLayer(extent, under, np.zeros_like(under), under)


def with_answer(
    layer: ObjectLayer | None,
    mask: np.ndarray,
    extent: Extent,
    plane: tuple[int, int] | None,
    read: ReadCrop,
) -> tuple[ObjectLayer, np.ndarray, Extent]:
    """Draw an answer: bool mask (i, j, k) over `extent`, in place of all, or of all on one slice (axis, index).

    Returns the new layer, and the voxels (i, j, k) and extent to paste. What the person painted since the last answer
    stays as they painted it.
    """
    layer = begun(extent, read) if layer is None else _grown(layer, extent, read)
    area = layer.extent_ijk if plane is None else _slab(layer.extent_ijk, *plane)
    drawn = layer.drawn.copy()
    here = extent_slices(area, layer.extent_ijk)
    now = np.array(read(area), bool)
    painted = now != layer.shown[here]
    drawn[here] = False
    inside = common_extent(extent, area)
    if inside is not None:
        drawn[extent_slices(inside, layer.extent_ijk)] = mask[extent_slices(inside, extent)]
    pasted = np.where(painted, now, layer.under[here] | drawn[here])
    return ObjectLayer(layer.extent_ijk, layer.under, drawn, layer.shown), pasted, area


def _grown(layer: ObjectLayer, extent: Extent, read: ReadCrop) -> ObjectLayer:
    whole = joined_extent(layer.extent_ijk, extent)
    if whole == layer.extent_ijk:
        return layer
    now = np.array(read(whole), bool)
    inner = extent_slices(layer.extent_ijk, whole)
    under, shown, drawn = now.copy(), now.copy(), np.zeros(extent_shape(whole), bool)
    under[inner], shown[inner], drawn[inner] = layer.under, layer.shown, layer.drawn
    return ObjectLayer(whole, under, drawn, shown)


def _slab(extent: Extent, axis: int, index: int) -> Extent:
    ends = list(extent)
    ends[2 * axis : 2 * axis + 2] = [index, index + 1]
    return tuple(ends)  # type: ignore[return-value]
