"""What a student found, as the JSON beside the file."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import ndimage

from samantic.app.lib.infers.label_map import union
from samantic.app.lib.infers.sessions import Extent
from samantic.app.lib.infers.student_request import StudentRequest
from samantic.student import StudentAnswer


def student_json(answer: StudentAnswer, asked: StudentRequest) -> dict[str, Any]:
    """The result of a request, without what the server adds about itself."""
    structures, whole = [], None
    confidence = answer.confidence
    for value, name in enumerate(answer.class_names, start=1):
        extent = _extent(answer.labels, value)
        if extent is None:
            continue
        whole = union(whole, extent)
        mask = answer.labels == value
        structures.append(
            {
                "class": name,
                "value": value,
                "voxels": int(mask.sum()),
                "extent": extent,
                "confidence": _number(confidence[mask].mean(dtype=np.float64)),
                "slice": None,
                "predicted_class": name,
                "class_confidence": None,
                "unsure": None,
            }
        )
    return {
        "label_names": {name: value for value, name in enumerate(answer.class_names, start=1)},
        "structures": structures,
        "border_uncertainty": _number(answer.border_uncertainty),
        "extent": whole,
        "empty": whole is None,
        "slice": None,
        "map": asked.map,
    }


def _extent(labels: np.ndarray, value: int) -> Extent | None:
    """Half-open voxel bounds of a label (I, J, K)."""
    found = ndimage.find_objects(labels == value, 1)[0]
    if found is None:
        return None
    i, j, k = found
    return i.start, i.stop, j.start, j.stop, k.start, k.stop


def _number(value: float) -> float | None:
    # JSON has no NaN; a number that is none is not a 0 either.
    return round(float(value), 4) if math.isfinite(value) else None
