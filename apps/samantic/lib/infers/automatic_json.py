"""What the automatic mode found, as the JSON beside the label map."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from samantic.app.lib.infers.automatic_request import AutomaticRequest
from samantic.app.lib.infers.label_map import union
from samantic.app.lib.infers.sessions import Extent
from samantic.imaging import Volume
from samantic.segsam.automatic import AutomaticVolume, Structure


def automatic_json(found: AutomaticVolume, asked: AutomaticRequest, extent: Extent | None) -> dict[str, Any]:
    """The result of a request, without what the server adds about itself."""
    return {
        "label_names": _label_names(found, asked),
        "structures": [_structure(one) for one in found.structures],
        "out_of_domain": None if found.familiarity is None else found.familiarity.out_of_domain,
        "extent": extent,
        "empty": extent is None,
        "slice": asked.options.slice_index,
        "axes": list(found.axes),
        "proposals": found.source,
        "refined": found.refined,
        "map": asked.map,
    }


def extent_of_all(structures: Sequence[Structure]) -> Extent | None:
    """Half-open voxel bounds (x0, x1, y0, y1, z0, z1) of all structures, None if there are none."""
    extent = None
    for one in structures:
        extent = union(extent, _extent(one))
    return extent


def extent_of_image(volume: Volume) -> Extent:
    """Half-open voxel bounds of a whole image."""
    i, j, k = volume.shape_ijk
    return 0, i, 0, j, 0, k


def _label_names(found: AutomaticVolume, asked: AutomaticRequest) -> dict[str, int]:
    if asked.options.classes:
        return {name: value for value, name in enumerate(asked.options.classes, start=1)}
    # Stock clients give the names to the values that they find, in order: none may be named that is not there.
    return {one.class_name: one.value for one in found.structures}


def _structure(one: Structure) -> dict[str, Any]:
    return {
        "class": one.class_name,
        "value": one.value,
        "voxels": one.voxels,
        "extent": _extent(one),
        "confidence": _number(one.confidence),
        "slice": one.slice_index,
        "predicted_class": one.opinion,
        "class_confidence": None if one.unsure is None else _number(one.opinion_confidence),
        "unsure": one.unsure,
    }


def _extent(one: Structure) -> Extent:
    (i, j, k), (u, v, w) = one.lower_ijk, one.upper_ijk
    return i, u, j, v, k, w


def _number(value: float) -> float:
    # JSON has no NaN; a network that gives one has learned nothing about this image.
    return round(float(value), 4) if math.isfinite(value) else 0.0
