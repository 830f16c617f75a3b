"""What was found in a breast, as the JSON beside the file."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from samantic.app.lib.infers.breast_request import BreastRequest
from samantic.app.lib.infers.sessions import Extent
from samantic.breast import DIAGNOSES, BreastAnswer
from samantic.breast.diagnosis import LESION
from samantic.vocabulary import SemanticClass

VALUE = 1
"""Of the lesion in the label map."""


def breast_json(
    answer: BreastAnswer, asked: BreastRequest, lesion: SemanticClass, extent: Extent | None
) -> dict[str, Any]:
    """The result of a request, without what the server adds about itself."""
    voxels = int(answer.mask.sum())
    structure = {
        "class": LESION,
        "value": VALUE,
        "voxels": voxels,
        "extent": extent,
        "confidence": _number(answer.probability[answer.mask].mean()) if voxels else 0.0,
        "slice": 0,
        "predicted_class": LESION,
        "class_confidence": None,
        "unsure": answer.unsure,
    }
    familiarity = answer.familiarity
    return {
        "label_names": {LESION: VALUE},
        "vocabulary": {LESION: {key: value for key, value in asdict(lesion).items() if value is not None}},
        "structures": [structure] if voxels else [],
        "diagnosis": answer.diagnosis,
        "diagnosis_confidence": _number(answer.confidence),
        "diagnosis_probabilities": {
            name: _number(value) for name, value in zip(DIAGNOSES, answer.diagnosis_probabilities, strict=True)
        },
        "contradicts_itself": answer.contradicts_itself,
        "out_of_domain": None if familiarity is None else familiarity.out_of_domain,
        "domain_distance": None if familiarity is None else _number(familiarity.distance),
        "unsure": answer.unsure,
        "extent": extent,
        "empty": not voxels,
        "slice": 0,
        "map": asked.map,
    }


def _number(value: float) -> float | None:
    # JSON has no NaN; a probability that is none is not a 0 either.
    return round(float(value), 4) if math.isfinite(value) else None
