"""What the segments are at one moment: copied in milliseconds, so that it can be written while the person goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from SamanticLib.errors import SamanticError
from SamanticLib.geometry import Extent, extent_shape, extent_slices, joined_extent
from SamanticLib.label_volumes import volume_extent
from SamanticLib.layers import image_extent, is_empty, layers_of, view_of
from SamanticLib.nodes import ijk_to_local
from SamanticLib.segments import CLASS_TAG, TERMINOLOGY_TAG, VALUE_TAG, class_name, stable_values, tag

KEPT_TAGS = (CLASS_TAG, VALUE_TAG, TERMINOLOGY_TAG)


@dataclass(frozen=True)
class KeptSegment:
    """A segment: `value` is what its voxels hold in files, `layer` which labelmap it lies in, rgb from 0 to 1."""

    segment_id: str
    name: str
    class_name: str
    value: int
    layer: int
    voxels: int
    rgb: tuple[float, float, float]
    tags: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Labelmaps (i, j, k) over one half-open extent of the image, each segment under its value for files.

    ijk_to_ras: (4, 4) of the image, from its voxel (0, 0, 0).
    """

    layers: tuple[np.ndarray, ...]
    extent: Extent
    ijk_to_ras: np.ndarray
    segments: tuple[KeptSegment, ...]


@dataclass(frozen=True, eq=False)
class Copied:
    """The labelmaps as they lie in memory, and whose they are; `settled` makes a snapshot of them in any thread."""

    layers: tuple[tuple[np.ndarray, Extent, Mapping[str, int]], ...]
    ijk_to_ras: np.ndarray
    segments: tuple[KeptSegment, ...]

    def settled(self) -> Snapshot | None:
        """Give each segment its value for files and count its voxels; None where nothing is drawn."""
        if not self.layers:
            return None
        extent = self.layers[0][1]
        for _, other, _ in self.layers[1:]:
            extent = joined_extent(extent, other)
        value_of = {segment.segment_id: segment.value for segment in self.segments}
        dtype = np.min_scalar_type(max(value_of.values()))
        written, place, voxels = [], {}, {}
        for number, (values, own_extent, own_values) in enumerate(self.layers):
            table = np.zeros(max([int(values.max()), *own_values.values()]) + 1, dtype)
            counts = np.zeros(len(table), np.int64)
            for segment_id, own in own_values.items():
                table[own] = value_of[segment_id]
            whole = np.zeros(extent_shape(extent), dtype, order="F")
            there = whole[extent_slices(own_extent, extent)]
            for k in range(values.shape[2]):  # NumPy counts and looks up in indices of eight bytes each
                counts += np.bincount(values[:, :, k].T.ravel(), minlength=len(table))
                there[:, :, k] = table[values[:, :, k]]
            written.append(whole)
            for segment_id, own in own_values.items():
                place[segment_id], voxels[segment_id] = number, int(counts[own])
        segments = tuple(
            replace(one, layer=place.get(one.segment_id, 0), voxels=voxels.get(one.segment_id, 0))
            for one in self.segments
        )
        if not any(segment.voxels for segment in segments):
            return None
        return Snapshot(tuple(written), extent, self.ijk_to_ras, segments)


def copied(segmentation: Any, volume: Any) -> Copied:
    """Copy the labelmaps of a segmentation; SamanticError for segments that were drawn in another grid."""
    inner = segmentation.GetSegmentation()
    grid, extent = ijk_to_local(volume, segmentation), volume_extent(volume)
    layers = []
    for layer in layers_of(segmentation):
        if is_empty(layer.image):
            continue
        view = view_of(layer.image, grid, extent)
        if view is None:
            raise SamanticError(f"The segments of '{segmentation.GetName()}' do not lie on the voxels of the image.")
        layers.append((np.array(view[0], order="K"), view[1], dict(layer.values)))
    values = stable_values(segmentation)
    segments = tuple(_segment(inner.GetSegment(segment_id), segment_id, value) for segment_id, value in values.items())
    return Copied(tuple(layers), grid, segments)


def revision_of(segmentation: Any) -> tuple[Any, ...]:
    """Return what is another value after every change of the segments, found without looking at their voxels."""
    inner = segmentation.GetSegmentation()
    parts: list[Any] = []
    for layer in layers_of(segmentation):
        parts.append((layer.image.GetMTime(), image_extent(layer.image), tuple(layer.values.items())))
    for segment_id in inner.GetSegmentIDs():
        segment = inner.GetSegment(segment_id)
        parts.append((segment_id, segment.GetName(), segment.GetColor()))
    return tuple(parts)


def _segment(segment: Any, segment_id: str, value: int) -> KeptSegment:
    red, green, blue = (float(part) for part in segment.GetColor())
    tags = {name: text for name in KEPT_TAGS if (text := tag(segment, name))}
    name = str(segment.GetName())
    return KeptSegment(str(segment_id), name, class_name(segment), value, 0, 0, (red, green, blue), tags)
