"""Segmentations as `.seg.nrrd` files: names, colours, terminology, and label values that stay the same.

Slicer numbers segments anew when it merges their labelmaps for a file. Here they are merged beforehand, each segment
under the value that is noted in it, so the voxels of the file hold that value whatever was empty, hidden or moved.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

import numpy as np
import slicer

from SamanticLib.errors import SamanticError, file_error
from SamanticLib.geometry import Extent, IjkToRas, extent_shape, extent_slices, joined_extent
from SamanticLib.layers import (
    BINARY,
    checked_segmentation,
    grid_of,
    image_extent,
    is_empty,
    layers_of,
    new_labelmap,
    values_drawn,
    view_of,
)
from SamanticLib.nrrd_check import check_nrrd
from SamanticLib.saving import PREFIX
from SamanticLib.segments import stable_values

ENDING = ".seg.nrrd"
COLLAPSE = "Collapse labelmaps"


def export_segmentation(segmentation: Any, path: Path) -> Path:
    """Write all segments of a node to `path`, which is there whole or as it was before, and return it.

    Segments that overlap go into layers of the file. The node stays as it is. Raises SamanticError for another ending,
    for a segmentation without segments, and where Slicer cannot write; DiskFull where there is no space.
    """
    path = Path(path)
    if not path.name.endswith(ENDING):
        raise SamanticError(f"A segmentation is saved as '{ENDING}', not as '{path.name}'; choose such a name.")
    if not list(checked_segmentation(segmentation).GetSegmentIDs()):
        raise SamanticError(f"'{segmentation.GetName()}' has no segments to save.")
    scene = slicer.vtkMRMLScene()
    copy = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", segmentation.GetName())
    _copy_merged(segmentation, copy)
    storage = scene.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
    temporary = path.with_name(f"{PREFIX}{secrets.token_hex(8)}{ENDING}")
    storage.SetFileName(str(temporary))
    try:
        # Slicer says only that it failed: whether there is a place to write to is found out first.
        temporary.open("xb").close()
        if not storage.WriteData(copy):
            raise SamanticError(f"Slicer could not write the segmentation to '{path}'; is the disk full?")
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise file_error(error, "the segmentation", path) from error
    finally:
        temporary.unlink(missing_ok=True)
    return path


def import_segmentation(scene: Any, path: Path, volume: Any = None) -> Any:
    """Load a `.seg.nrrd` into the scene and return its node, under the transform of the volume that it belongs to.

    Raises SamanticError where there is no such file or Slicer cannot read it; nothing is then left in the scene.
    """
    path = Path(path)
    if not path.is_file():
        raise SamanticError(f"There is no file '{path}'.")
    check_nrrd(path)
    storage = scene.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
    storage.SetFileName(str(path))
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", path.name[: -len(ENDING)])
    if not storage.ReadData(node) or not node.GetSegmentation().GetNumberOfSegments():
        displays = [node.GetNthDisplayNode(number) for number in range(node.GetNumberOfDisplayNodes())]
        for made in (node, storage, *displays):
            scene.RemoveNode(made)
        raise SamanticError(f"'{path}' holds no segmentation that can be read; it may be damaged.")
    node.SetAndObserveStorageNodeID(storage.GetID())
    node.CreateDefaultDisplayNodes()
    if volume is not None:
        node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
        node.SetAndObserveTransformNodeID(volume.GetTransformNodeID())
    stable_values(node)
    return node


def _copy_merged(segmentation: Any, copy: Any) -> None:
    inner, merged = segmentation.GetSegmentation(), copy.GetSegmentation()
    merged.SetSourceRepresentationName(BINARY)
    merged.DeserializeConversionParameters(inner.SerializeAllConversionParameters())
    merged.SetConversionParameter(COLLAPSE, "0")
    values = stable_values(segmentation)
    labelmaps = _labelmaps(segmentation, values)
    for segment_id, value in values.items():
        segment = slicer.vtkSegment()
        segment.DeepCopyMetadata(inner.GetSegment(segment_id))
        segment.AddRepresentation(BINARY, labelmaps[segment_id])
        segment.SetLabelValue(value)
        merged.AddSegment(segment, segment_id)


def _labelmaps(segmentation: Any, values: dict[str, int]) -> dict[str, Any]:
    """Return segment id -> labelmap, as few as can be without overlap, in which each segment has its value."""
    layers = list(layers_of(segmentation))
    drawn = [layer for layer in layers if not is_empty(layer.image)]
    dtype = np.min_scalar_type(max(values.values()))
    grid = grid_of(drawn[0].image) if drawn else np.eye(4)
    extent = _common_extent([layer.image for layer in drawn], grid)
    merged: list[np.ndarray] = []
    place = dict.fromkeys(values, 0)
    for layer in drawn:
        view = view_of(layer.image, grid, extent)
        if view is None:
            raise SamanticError(
                f"The segments of '{segmentation.GetName()}' were drawn in several grids, which one file cannot hold; "
                "bring them into one with the reference geometry of the module Segment Editor."
            )
        there = extent_slices(view[1], extent)
        present = values_drawn(view[0])
        for segment_id, own in layer.values.items():
            if own not in present:
                continue
            mask = view[0] == own
            free = [number for number, labels in enumerate(merged) if not (mask & (labels[there] != 0)).any()]
            if not free:
                merged.append(np.zeros(extent_shape(extent), dtype, order="F"))
            place[segment_id] = free[0] if free else len(merged) - 1
            np.copyto(merged[place[segment_id]][there], values[segment_id], where=mask)
    images = [new_labelmap(grid, extent, labels) for labels in merged or [np.zeros(extent_shape(extent), dtype)]]
    return {segment_id: images[number] for segment_id, number in place.items()}


def _common_extent(images: list[Any], grid: IjkToRas) -> Extent:
    extent: Extent = image_extent(images[0]) if images else (0, 1, 0, 1, 0, 1)
    for image in images[1:]:
        view = view_of(image, grid, extent)
        if view is not None:
            extent = joined_extent(extent, view[1])
    return extent
