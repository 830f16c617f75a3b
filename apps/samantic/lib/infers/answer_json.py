"""What was found, as the JSON beside the mask."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from samantic.app.lib.infers.label_map import LabelValues, extent_of
from samantic.app.lib.infers.request import InferRequest
from samantic.app.lib.infers.sessions import Extent
from samantic.imaging import SliceView
from samantic.segsam import ObjectPrediction

OF_FIRST_OBJECT = ("predicted_class", "class_confidence", "unsure", "class_probabilities", "presence", "quality")


def answer_json(
    asked: InferRequest,
    predictions: Sequence[ObjectPrediction],
    values: LabelValues,
    view: SliceView,
    extent: Extent | None,
) -> dict[str, Any]:
    """The result of a request, without what the server adds about itself.

    At the top what the first object is, which is all there is for one click; under `objects` the same for each. A
    network that was never calibrated does not know what it does not know: null.
    """
    objects = [
        {"value": value, "label": one.label or asked.label} | _object(prediction, view)
        for one, prediction, value in zip(asked.objects, predictions, values.of_object, strict=True)
    ]
    first = {key: objects[0][key] for key in OF_FIRST_OBJECT}
    familiarity = predictions[0].familiarity
    result = {
        "label_names": values.names,
        **first,
        "out_of_domain": None if familiarity is None else familiarity.out_of_domain,
        "objects": objects,
        "extent": extent,
        "empty": extent is None,
        "slice": asked.slice_index,
        "axis": asked.axis,
        "ignored_points": asked.ignored_points,
    }
    if asked.multimask:
        result["candidates"] = [_candidates(prediction, view) for prediction in predictions]
    return result


def _object(prediction: ObjectPrediction, view: SliceView) -> dict[str, Any]:
    return {
        "predicted_class": prediction.predicted_class,
        "class_confidence": None if prediction.unsure is None else _number(prediction.class_confidence),
        "unsure": prediction.unsure,
        "class_probabilities": _rounded(prediction.class_probabilities),
        "presence": _rounded(prediction.presence),
        "quality": _number(prediction.predicted_iou),
        "extent": extent_of(prediction.mask, view),
    }


def _candidates(prediction: ObjectPrediction, view: SliceView) -> list[dict[str, Any]]:
    return [
        {"quality": _number(quality), "extent": extent_of(mask, view), "runs": _runs(mask, view)}
        for mask, quality in prediction.candidates
    ]


def _runs(mask: np.ndarray, view: SliceView) -> list[int]:
    """Lengths of the runs outside and inside in turn, beginning outside, over the extent with i fastest, then j, k."""
    extent = extent_of(mask, view)
    if extent is None:
        return []
    lower, upper = (extent[0], extent[2], extent[4]), (extent[1], extent[3], extent[5])
    x0, y0, x1, y1 = view.box_to_view(lower, upper)
    i, j, k = (high - low for low, high in zip(lower, upper, strict=True))
    part = np.zeros((i, j, k), bool, order="F")
    SliceView((i, j, k), view.affine, view.axis, 0).insert(part, mask[y0:y1, x0:x1])
    flat = part.ravel(order="F")
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    runs = np.diff(np.concatenate([[0], changes, [flat.size]])).tolist()
    return [0, *runs] if flat[0] else runs


def _rounded(probabilities: dict[str, float]) -> dict[str, float]:
    return {name: _number(value) for name, value in probabilities.items()}


def _number(value: float) -> float:
    # JSON has no NaN; a network that gives one has learned nothing about this image.
    return round(float(value), 4) if math.isfinite(value) else 0.0
