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
    labels = np.zeros(volume_shape(volume), np.uint8 if largest < 256 else np.uint16)
    grid, extent = ijk_to_local(volume, segmentation), volume_extent(volume)
    owners: dict[int, str] = {}
    for layer in layers_of(segmentation):
        drawn = values_in(layer, grid, extent) if set(layer.values) & set(wanted) else None
        for segment_id, own in layer.values.items():
            if drawn is None or segment_id not in wanted:
                continue
            mask, value = drawn == own, wanted[segment_id]
            taken = labels[mask]
            clash = taken[(taken != 0) & (taken != value)]
            if clash.size:
                raise SamanticError(
                    f"'{inner.GetSegment(segment_id).GetName()}' and '{owners[int(clash[0])]}' overlap in {clash.size} "
                    "voxels, and a label has one value for each; erase the overlap in one of them."
                )
            labels[mask] = value
            owners.setdefault(value, inner.GetSegment(segment_id).GetName())
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
