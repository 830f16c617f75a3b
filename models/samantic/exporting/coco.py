"""COCO: pictures with one annotation for each connected part of each class (Lin et al., ECCV 2014)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy import ndimage

from samantic.exporting.class_values import ClassValues, unique_names
from samantic.exporting.label_names import meant_class
from samantic.exporting.run_length import coco_rle
from samantic.exporting.studies import LabelledStudy
from samantic.imaging import SliceView, Volume, to_uint8, window_for

TOUCHING = np.ones((3, 3), bool)
ANNOTATIONS = "annotations/instances.json"


def write_coco(
    folder: Path, studies: Sequence[LabelledStudy], classes: ClassValues, done: Callable[[LabelledStudy], None]
) -> dict[str, list[str]]:
    """Write images/*.png and annotations/instances.json; return image id -> the files written for it.

    Of a volume every slice that shows a label is written, along the axis with the thickest slices, upright and windowed
    to 8 bits. Source: ours, after COCO's data format.
    """
    (folder / "images").mkdir()
    (folder / "annotations").mkdir()
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    written: dict[str, list[str]] = {}
    names = unique_names(study.image_id for study in studies)
    for study in studies:
        volume = study.volume()
        labels = classes.translated(study, study.labels(volume))
        files = written.setdefault(study.image_id, [])
        for name, picture, drawn, place in _pictures(names[study.image_id], volume, labels):
            file = f"images/{name}.png"
            Image.fromarray(picture).save(folder / file)
            rows, cols = drawn.shape
            image = {"id": len(images) + 1, "file_name": f"{name}.png", "height": rows, "width": cols}
            images.append({**image, "source": study.image_id, **place})
            annotations += _annotations(drawn, len(images), len(annotations) + 1)
            files.append(file)
        done(study)
    document = {
        "info": {"description": "Labels of a studies folder, exported by Samantic"},
        "images": images,
        "annotations": annotations,
        "categories": [_category(value, name) for value, name in enumerate(classes.names, start=1)],
    }
    (folder / ANNOTATIONS).write_text(json.dumps(document), encoding="utf-8")
    return written


def _pictures(
    name: str, volume: Volume, labels: np.ndarray
) -> Iterator[tuple[str, np.ndarray, np.ndarray, dict[str, int]]]:
    window = window_for(volume)
    if volume.kind == "photograph":
        view = SliceView.of(volume, 2, 0)
        yield name, to_uint8(view.extract(volume.array), window), view.extract(labels), {}
        return
    axis = max((2, 1, 0), key=lambda one: volume.spacing_mm[one])
    others = tuple(one for one in range(3) if one != axis)
    for index in np.flatnonzero(labels.any(axis=others)).tolist():
        view = SliceView.of(volume, axis, index)
        picture = to_uint8(view.extract(volume.array), window)
        yield f"{name}_{'ijk'[axis]}{index:04d}", picture, view.extract(labels), {"axis": axis, "slice": index}


def _annotations(drawn: np.ndarray, image: int, first: int) -> Iterator[dict[str, Any]]:
    number = first
    for value in np.unique(drawn[drawn > 0]).tolist():
        parts, _ = ndimage.label(drawn == value, TOUCHING)
        for part, (rows, cols) in enumerate(ndimage.find_objects(parts), start=1):
            mask = parts == part
            yield {
                "id": number,
                "image_id": image,
                "category_id": value,
                "segmentation": coco_rle(mask),
                "area": int(mask.sum()),
                "bbox": [cols.start, rows.start, cols.stop - cols.start, rows.stop - rows.start],
                "iscrowd": 0,
            }
            number += 1


def _category(value: int, name: str) -> dict[str, Any]:
    meant = meant_class(name)
    if meant is None:
        return {"id": value, "name": name, "supercategory": "other"}
    code = {"scheme": meant.type.scheme, "value": meant.type.value, "meaning": meant.type.meaning}
    return {"id": value, "name": name, "supercategory": meant.category.meaning, "code": code}
