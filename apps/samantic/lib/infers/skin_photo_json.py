"""Skin, lesions and crops that were found, as the JSON beside the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from samantic.app.lib.infers.label_map import extent_of
from samantic.app.lib.infers.skin_photo_request import SkinPhotoRequest
from samantic.imaging import SliceView
from samantic.skinphoto.classes import BACKGROUND, CLASS_NAMES, LESION
from samantic.skinphoto.crop_rule import CropRule
from samantic.skinphoto.crop_search import Crop
from samantic.vocabulary import Vocabulary


def skin_photo_json(
    found: np.ndarray,
    confidence: np.ndarray,
    crops: Sequence[Crop],
    asked: SkinPhotoRequest,
    view: SliceView,
    vocabulary: Vocabulary,
) -> dict[str, Any]:
    """The result of a request, without what the server adds about itself; `found` (rows, cols) as in `classes`."""
    structures = []
    for value, name in enumerate(asked.classes, start=1):
        inside = found == 1 + CLASS_NAMES.index(name)
        if inside.any():
            structures.append(
                {
                    "class": name,
                    "value": value,
                    "voxels": int(inside.sum()),
                    "extent": extent_of(inside, view),
                    "confidence": round(float(confidence[inside].mean()), 4),
                    "slice": 0,
                    "predicted_class": name,
                    "class_confidence": None,
                    "unsure": None,
                }
            )
    rule = CropRule()
    return {
        "label_names": {name: value for value, name in enumerate(asked.classes, start=1)},
        "vocabulary": {
            name: {key: value for key, value in asdict(vocabulary[name]).items() if value is not None}
            for name in asked.classes
        },
        "structures": structures,
        "skin_fraction": round(float((found != BACKGROUND).mean()), 4),
        "lesion_fraction": round(float((found == LESION).mean()), 4),
        "crops": [_crop(crop) for crop in crops],
        "crops_note": None
        if crops
        else f"No part of it is surely more than {rule.skin_percent} % skin and more than "
        f"{rule.lesion_percent} % lesion.",
        "empty": not structures,
        "slice": 0,
        "map": asked.map,
    }


def _crop(crop: Crop) -> dict[str, Any]:
    extent = (crop.left, crop.left + crop.side, crop.top, crop.top + crop.side, 0, 1)
    return {"extent": extent, "skin": round(crop.skin, 4), "lesion": round(crop.lesion, 4)}
