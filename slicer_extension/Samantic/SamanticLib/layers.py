"""The labelmaps of a segmentation, seen voxel by voxel in the grid of an image.

Several segments may share one labelmap, a layer, in which each has its own value. A layer has a grid and an extent of
its own. Where its voxels lie on the image's, however turned, its memory is read and written in place. Otherwise it can
be sampled, not written. Arrays are kept with i running fastest, as VTK has them; the other order is ten times slower.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

from SamanticLib.errors import SamanticError
from SamanticLib.geometry import Extent, IjkToRas, as_extent, common_extent, extent_shape, extent_slices, joined_extent
from SamanticLib.nodes import to_array, to_vtk_matrix

BINARY = "Binary labelmap"
MISALIGNED = 0.05  # voxels: what a grid may be off another over its whole length, by rounding in files


@dataclass(frozen=True, eq=False)
class Layer:
    """One labelmap and the values that its segments have in it."""

    image: Any
    values: dict[str, int]


def layers_of(segmentation: Any) -> Iterator[Layer]:
    """Yield the labelmaps of a segmentation node; SamanticError where its segments are no binary labelmaps."""
    inner = checked_segmentation(segmentation)
    for number in range(inner.GetNumberOfLayers()):
        ids = inner.GetSegmentIDsForLayer(number)
        values = {segment_id: int(inner.GetSegment(segment_id).GetLabelValue()) for segment_id in ids}
        yield Layer(inner.GetLayerDataObject(number), values)


def layer_of(segmentation: Any, segment_id: str) -> Layer:
    """Return the labelmap that a segment lies in; SamanticError for a segment that is not there."""
    for layer in layers_of(segmentation):
        if segment_id in layer.values:
            return layer
    raise SamanticError(
        f"The segment '{segment_id}' is not in '{segmentation.GetName()}' any more; choose another one."
    )


def checked_segmentation(segmentation: Any) -> Any:
    """Return the vtkSegmentation of a node whose segments are binary labelmaps; SamanticError otherwise."""
    inner = None if segmentation is None else segmentation.GetSegmentation()
    if inner is None:
        raise SamanticError("There is no segmentation; choose one.")
    if inner.GetSourceRepresentationName() != BINARY:
        raise SamanticError(
            f"'{segmentation.GetName()}' is made of {inner.GetSourceRepresentationName().lower()}s; make the binary "
            "labelmap its source in the module Segmentations first."
        )
    return inner


def values_in(layer: Layer, ijk_to_local: IjkToRas, extent: Extent) -> np.ndarray:
    """Return a layer's values on the voxels of an extent of the image, a copy (i, j, k); 0 outside the layer.

    Where the grids differ, each voxel has the value at its middle.
    """
    values = np.zeros(extent_shape(extent), layer_dtype(layer), order="F")
    if is_empty(layer.image):
        return values
    view = view_of(layer.image, ijk_to_local, extent)
    if view is None:
        return sampled(whole(layer.image), image_extent(layer.image), grid_of(layer.image), ijk_to_local, extent)
    array, array_extent = view
    common = common_extent(array_extent, extent)
    if common is not None:
        values[extent_slices(common, extent)] = array[extent_slices(common, array_extent)]
    return values


def mask_in(segmentation: Any, segment_id: str, ijk_to_local: IjkToRas, extent: Extent) -> np.ndarray:
    """Return which voxels of an extent of the image a segment holds, (i, j, k) bool."""
    layer = layer_of(segmentation, segment_id)
    return values_in(layer, ijk_to_local, extent) == layer.values[segment_id]


def write(
    segmentation: Any, segment_id: str, ijk_to_local: IjkToRas, extent: Extent, mask: np.ndarray, where: np.ndarray
) -> Any:
    """Make a segment what `mask` says at the voxels `where`, both (i, j, k) over `extent`; return its labelmap.

    No other segment changes: where one with the same labelmap lies in the way, this one gets a labelmap of its own. The
    labelmap grows as needed. That its voxels have changed nobody is told; `redrawing.redraw` does. Raises
    SamanticError, before anything is written, where the segment was drawn in a grid that is not the image's.
    """
    add, remove = mask & where, ~mask & where
    layer = _writable(segmentation, segment_id, ijk_to_local, extent)
    if add.any():
        _grow(layer, ijk_to_local, extent)
        if _collides(layer, segment_id, ijk_to_local, extent, add) and len(layer.values) > 1:
            checked_segmentation(segmentation).SeparateSegmentLabelmap(segment_id)
            layer = layer_of(segmentation, segment_id)
            _grow(layer, ijk_to_local, extent)
    if is_empty(layer.image):
        return layer.image
    view = view_of(layer.image, ijk_to_local, extent)
    common = None if view is None else common_extent(view[1], extent)
    if view is not None and common is not None:
        value, there = layer.values[segment_id], view[0][extent_slices(common, view[1])]
        inside = extent_slices(common, extent)
        np.copyto(there, 0, where=remove[inside] & (there == value))
        np.copyto(there, value, where=add[inside])
    return layer.image


def checked_writable(segmentation: Any, segment_id: str, ijk_to_local: IjkToRas, extent: Extent) -> None:
    """Raise SamanticError where a segment was drawn in a grid that is not the image's, as `write` does."""
    layer = layer_of(segmentation, segment_id)
    if is_empty(layer.image) or _turn(grid_of(layer.image), ijk_to_local, extent) is not None:
        return
    if (whole(layer.image) == layer.values[segment_id]).any():
        name = segmentation.GetSegmentation().GetSegment(segment_id).GetName()
        raise SamanticError(
            f"The segment '{name}' was drawn in another grid than the image's, so it cannot be changed voxel by voxel; "
            "use a new segment, or make the image the segmentation's reference geometry."
        )


def values_drawn(values: np.ndarray, where: np.ndarray | None = None) -> set[int]:
    """Return which whole numbers from 0 are in an array (i, j, k), at the voxels `where` if that is given."""
    # Voxels are stored with i running fastest, and counting is faster than sorting.
    found: set[int] = set()
    for k in range(values.shape[2]):  # one slice at a time bounds the memory
        plane = values[:, :, k].T
        chosen = plane.ravel() if where is None else plane[where[:, :, k].T]
        small = chosen.dtype.kind == "u" and chosen.dtype.itemsize <= 2
        found.update((np.flatnonzero(np.bincount(chosen)) if small else np.unique(chosen)).tolist())
    return found


def is_empty(image: Any) -> bool:
    """Whether a labelmap has no voxels at all."""
    return image is None or image.GetPointData().GetScalars() is None or 0 in image.GetDimensions()


def grid_of(image: Any) -> IjkToRas:
    """Return a labelmap's own voxel index -> the coordinates of its segmentation, (4, 4)."""
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    return to_array(matrix)


def image_extent(image: Any) -> Extent:
    """Return the half-open extent of a labelmap in its own voxels."""
    ends = image.GetExtent()
    return as_extent(np.array(ends[::2]), np.array(ends[1::2]) + 1)


def whole(image: Any) -> np.ndarray:
    """Return the memory of a labelmap as an array (i, j, k) in its own voxels."""
    i, j, k = image.GetDimensions()
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(k, j, i).T


def layer_dtype(layer: Layer) -> Any:
    """Return the type of a layer's values, uint8 while it has none."""
    return np.dtype(np.uint8) if is_empty(layer.image) else whole(layer.image).dtype


def view_of(image: Any, ijk_to_local: IjkToRas, extent: Extent) -> tuple[np.ndarray, Extent] | None:
    """Return a labelmap's memory along the axes of the image and its extent there; None where voxels do not coincide.

    extent: where in the image they have to.
    """
    turn = _turn(grid_of(image), ijk_to_local, extent)
    if turn is None:
        return None
    matrix, offset = turn
    own = image_extent(image)
    first, last = np.array(own[::2]), np.array(own[1::2]) - 1
    ends = np.stack([first - offset, last - offset]) @ matrix  # the inverse of a signed permutation is its transpose
    axes = np.abs(matrix).argmax(axis=0)
    flips = tuple(slice(None, None, int(matrix[axes[axis], axis])) for axis in range(3))
    return whole(image).transpose(axes)[flips], as_extent(ends.min(axis=0), ends.max(axis=0) + 1)


def sampled(
    values: np.ndarray, values_extent: Extent, values_grid: IjkToRas, grid: IjkToRas, extent: Extent
) -> np.ndarray:
    """Return values (i, j, k) over `values_extent` of one grid at the middles of the voxels of another, 0 outside."""
    found = np.zeros(extent_shape(extent), values.dtype, order="F")
    to_source = np.linalg.inv(values_grid) @ grid
    first, shape = np.array(values_extent[::2]), np.array(values.shape)
    i, j = np.meshgrid(np.arange(extent[0], extent[1]), np.arange(extent[2], extent[3]), indexing="ij")
    for number, k in enumerate(range(extent[4], extent[5])):  # one slice at a time bounds the memory
        points = np.stack([i, j, np.full_like(i, k)], axis=-1) @ to_source[:3, :3].T + to_source[:3, 3]
        voxels = np.floor(points + 0.5).astype(np.int64) - first
        inside = ((voxels >= 0) & (voxels < shape)).all(axis=-1)
        found[:, :, number][inside] = values[tuple(voxels[inside].T)]
    return found


def new_labelmap(ijk_to_local: IjkToRas, extent: Extent, values: np.ndarray) -> Any:
    """Return a labelmap (vtkOrientedImageData) of values (i, j, k) over an extent."""
    image = slicer.vtkOrientedImageData()
    image.SetImageToWorldMatrix(to_vtk_matrix(ijk_to_local))
    _set_values(image, extent, values)
    return image


def _turn(own: IjkToRas, ijk_to_local: IjkToRas, extent: Extent) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the signed permutation (3, 3) and the offset (3,) int from the image's voxels to a labelmap's own."""
    between = np.linalg.inv(own) @ ijk_to_local
    matrix, offset = np.rint(between[:3, :3]).astype(np.int64), between[:3, 3]
    if not (np.abs(matrix).sum(axis=0) == 1).all() or not (np.abs(matrix).sum(axis=1) == 1).all():
        return None
    # The offset is read at the extent, not at voxel 0, which may be far from it.
    middle = (np.array(extent[::2]) + extent[1::2] - 1) / 2
    offset = np.rint(between[:3, :3] @ middle + offset - matrix @ middle).astype(np.int64)
    corners = np.array(np.meshgrid(*(np.array(extent[2 * axis : 2 * axis + 2]) for axis in range(3)))).reshape(3, -1)
    error = between[:3, :3] @ corners + between[:3, 3:] - (matrix @ corners + offset[:, None])
    return (matrix, offset) if np.abs(error).max() < MISALIGNED else None


def _writable(segmentation: Any, segment_id: str, ijk_to_local: IjkToRas, extent: Extent) -> Layer:
    checked_writable(segmentation, segment_id, ijk_to_local, extent)
    layer = layer_of(segmentation, segment_id)
    if is_empty(layer.image) or _turn(grid_of(layer.image), ijk_to_local, extent) is not None:
        return layer
    # It is empty, in a labelmap of another grid: it gets one of its own in the image's.
    if len(layer.values) > 1:
        checked_segmentation(segmentation).SeparateSegmentLabelmap(segment_id)
        layer = layer_of(segmentation, segment_id)
    layer.image.SetExtent(0, -1, 0, -1, 0, -1)
    layer.image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
    return layer


def _collides(layer: Layer, segment_id: str, ijk_to_local: IjkToRas, extent: Extent, add: np.ndarray) -> bool:
    there = values_in(layer, ijk_to_local, extent)
    return bool((add & (there != 0) & (there != layer.values[segment_id])).any())


def _grow(layer: Layer, ijk_to_local: IjkToRas, extent: Extent) -> None:
    """Let a labelmap reach over an extent of the image and hold its segments' values."""
    image = layer.image
    dtype = np.promote_types(layer_dtype(layer), np.min_scalar_type(max(layer.values.values())))
    if is_empty(image):
        image.SetImageToWorldMatrix(to_vtk_matrix(ijk_to_local))
        _set_values(image, extent, np.zeros(extent_shape(extent), dtype, order="F"))
        return
    turn = _turn(grid_of(image), ijk_to_local, extent)
    if turn is None:  # `_writable` has looked
        raise SamanticError("The segment's grid has changed while it was written; try again.")
    matrix, offset = turn
    ends = np.stack([extent[::2], np.array(extent[1::2]) - 1]) @ matrix.T + offset
    own = image_extent(image)
    needed = joined_extent(own, as_extent(ends.min(axis=0), ends.max(axis=0) + 1))
    if needed != own or dtype != layer_dtype(layer):
        values = np.zeros(extent_shape(needed), dtype, order="F")
        values[extent_slices(own, needed)] = whole(image)
        _set_values(image, needed, values)


def _set_values(image: Any, extent: Extent, values: np.ndarray) -> None:
    scalars = numpy_to_vtk(np.ascontiguousarray(values.T).ravel(), deep=True)
    scalars.SetName("ImageScalars")
    # Each line tells whoever observes the labelmap; in this order nobody reads past the end of its memory.
    image.GetPointData().SetScalars(scalars)
    image.SetExtent(extent[0], extent[1] - 1, extent[2], extent[3] - 1, extent[4], extent[5] - 1)
