"""What BESA-Diff found, as the JSON beside the file."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from samantic.app.lib.infers.besadiff_request import LESION, BesaDiffRequest
from samantic.app.lib.infers.sessions import Extent
from samantic.besadiff.answer import LesionAnswer
from samantic.besadiff.doubt import is_unsure
from samantic.vocabulary import SemanticClass

VALUE = 1
"""Of the lesion in the label map."""

LARGEST_VARIANCE = 0.25
"""Of numbers in 0 to 1: half of them 0, half 1. The lightest grey of an uncertainty map in a .png."""


def besadiff_json(
    answer: LesionAnswer, asked: BesaDiffRequest, lesion: SemanticClass, extent: Extent | None, coarse: str | None
) -> dict[str, Any]:
    """The result of a request, without what the server adds about itself; `coarse` is where the coarse mask is from."""
    voxels = int(answer.mask.sum())
    unsure = is_unsure(answer)
    structure = {
        "class": LESION,
        "value": VALUE,
        "voxels": voxels,
        "extent": extent,
        "confidence": _number(answer.probability[answer.mask].mean()) if voxels else 0.0,
        "slice": 0,
        "predicted_class": LESION,
        "class_confidence": None,
        "unsure": unsure,
    }
    return {
        "label_names": {LESION: VALUE},
        "vocabulary": {LESION: {key: value for key, value in asdict(lesion).items() if value is not None}},
        "structures": [structure] if voxels else [],
        "boundary_confidence": _number(answer.boundary_confidence),
        "mean_variance": _number(answer.mean_variance),
        "unsure": unsure,
        "members": asked.members,
        "steps": asked.steps,
        "seed": asked.seed,
        "refined": answer.refined,
        "coarse": coarse,
        "extent": extent,
        "empty": not voxels,
        "slice": 0,
        "map": asked.map,
    }


def _number(value: float) -> float:
    # JSON has no NaN; a network that gives one has learned nothing about this image.
    return round(float(value), 4) if math.isfinite(value) else 0.0
