"""The segments of a scene as one array of label values, as a server takes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from SamanticLib.errors import SamanticError
from SamanticLib.geometry import Extent
from SamanticLib.layers import checked_segmentation, layers_of, values_in
from SamanticLib.nodes import ijk_to_local, volume_shape
from SamanticLib.segments import LARGEST_VALUE, class_name


def label_volume(segmentation: Any, volume: Any, values: Mapping[str, int]) -> np.ndarray:
    """Return label values (i, j, k) in a volume's grid, uint8 where they fit, otherwise uint16.

    values: by segment id or by class; of both, the id counts. A value belongs to its class, whatever is drawn: segments
    that are empty, hidden or not named shift nothing, and those not named are left out. Segments of one class join.
    Raises SamanticError where two segments of different values hold the same voxel, since one label holds one value
    there, for a name that no segment has, and for values that are not 1 to 65535.
    """
    inner = checked_segmentation(segmentation)
    wanted = values_of_segments(segmentation, values)
    largest = max(wanted.values(), default=0)
    labels = np.zeros(volume_shape(volume), np.uint8 if largest < 256 else np.uint16, order="F")
    grid, extent = ijk_to_local(volume, segmentation), volume_extent(volume)
    for layer in layers_of(segmentation):
        table = np.zeros(max(layer.values.values(), default=0) + 2, labels.dtype)
        for segment_id, own in layer.values.items():
            table[own] = wanted.get(segment_id, 0)
        if not table.any():
            continue
        # Values of a layer that no segment has count as nothing.
        found = table[np.minimum(values_in(layer, grid, extent), len(table) - 1)]
        clash = (labels != 0) & (found != 0) & (labels != found)
        if clash.any():
            raise _overlap(inner, wanted, labels[clash], found[clash])
        np.copyto(labels, found, where=found != 0)
    return labels


def values_of_segments(segmentation: Any, values: Mapping[str, int]) -> dict[str, int]:
    """Return segment id -> value for values that are given by segment id or by class; SamanticError as above."""
    inner = checked_segmentation(segmentation)
    for name, value in values.items():
        if isinstance(value, bool) or int(value) != value or not 0 < value <= LARGEST_VALUE:
            raise SamanticError(f"The value of '{name}' is {value}; it must be from 1 to {LARGEST_VALUE}.")
    found, used = {}, set()
    for segment_id in inner.GetSegmentIDs():
        by_class = class_name(inner.GetSegment(segment_id))
        key = segment_id if segment_id in values else by_class
        if key in values:
            found[str(segment_id)] = int(values[key])
            used.add(key)
    unknown = [name for name in values if name not in used]
    if unknown:
        raise SamanticError(f"There is no segment of '{unknown[0]}' in '{segmentation.GetName()}'.")
    return found


def volume_extent(volume: Any) -> Extent:
    """Return the half-open extent of a whole volume."""
    i, j, k = volume_shape(volume)
    return 0, i, 0, j, 0, k


def _overlap(inner: Any, wanted: Mapping[str, int], one: np.ndarray, other: np.ndarray) -> SamanticError:
    names = [
        next(inner.GetSegment(segment_id).GetName() for segment_id, value in wanted.items() if value == drawn[0])
        for drawn in (other, one)
    ]
    return SamanticError(
        f"'{names[0]}' and '{names[1]}' overlap in {one.size} voxels, and a label has one value for each, so none was "
        "made. Erase the overlap in one of them, or remove one of them. To submit them one after the other does not "
        "help: a label replaces the one before."
    )
