"""The labels that people save for the images of a studies folder, as something to learn from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samantic.imaging import ImageReadError, image_suffix, read_segments
from samantic.vocabulary import UnknownClassError, load_vocabulary

RECORD = "datastore_v2.json"
"""What MONAI Label notes about a studies folder, in that folder."""

FINAL = "final"


@dataclass(frozen=True)
class LabelledImage:
    """An image, its label map in the same grid, and what the values of the map mean.

    `class_of_value` names all classes that the label would show if they were there; others are unknown in this image,
    not absent. A value without a name is neither class nor background. `is_synthetic`: a program made up the image.
    """

    image_id: str
    image: Path
    label: Path
    class_of_value: Mapping[int, str]
    is_synthetic: bool = False


@dataclass(frozen=True)
class Studies:
    """What a studies folder holds: `labelled` images, the files of those `without_label`, and one line for every label
    that was `left_out` and why."""

    labelled: tuple[LabelledImage, ...]
    without_label: tuple[Path, ...]
    left_out: tuple[str, ...]


def class_of_value(notes: Mapping[str, Any]) -> dict[int, str]:
    """What a server's notes about a label say that its values mean; empty where they do not say.

    Read are `label_names` {name: value}, then `label_info` [{name, idx or id}], as the Slicer module of MONAI Label
    sends what a person called the segments, then `params.label_names`, what the model had called them. Names, synonyms
    and codes of the vocabulary become its names.
    """
    params = notes.get("params")
    drafted = params.get("label_names") if isinstance(params, Mapping) else None
    for found in (notes.get("label_names"), _called(notes.get("label_info")), drafted):
        if isinstance(found, Mapping) and (named := _named({name: value for name, value in found.items()})):
            return named
    return {}


def is_synthetic(notes: Mapping[str, Any]) -> bool:
    """Whether what is noted about a label says that a program made up the image and the label."""
    return notes.get("synthetic") is True


def _called(entries: object) -> dict[str, Any]:
    if not isinstance(entries, list):
        return {}
    pairs = [(entry.get("name"), entry.get("idx", entry.get("id"))) for entry in entries if isinstance(entry, dict)]
    return {name: value for name, value in pairs if isinstance(name, str)}


def class_of_segment(label: Path) -> dict[int, str]:
    """What the header of a .seg.nrrd says that its values mean; empty for other files.

    ImageReadError as `read_segments`.
    """
    if image_suffix(label) not in (".nrrd", ".seg.nrrd"):
        return {}
    return {segment.value: canonical(segment.name) for segment in read_segments(label) if segment.name.strip()}


def read_studies(folder: Path, tag: str = FINAL) -> Studies:
    """Read which images of a studies folder have a label under `tag`, as MONAI Label's datastore noted it.

    FileNotFoundError: the folder holds no record. ValueError: the record cannot be read.
    """
    labelled: list[LabelledImage] = []
    without: list[Path] = []
    left_out: list[str] = []
    for image_id, entry in sorted(_objects(folder).items()):
        image = folder / _file_name(image_id, entry.get("image", {}))
        if not image.exists():
            continue
        noted = entry.get("labels", {}).get(tag)
        if noted is None:
            without.append(image)
            continue
        label = folder / "labels" / tag / _file_name(image_id, noted)
        try:
            classes = class_of_value(noted.get("info", {})) or class_of_segment(label)
        except ImageReadError as error:
            left_out.append(f"The label of '{image_id}' is left out: {error}.")
            continue
        if not classes:
            left_out.append(f"The label of '{image_id}' is left out: nothing says which classes its values mean.")
        elif label.is_file():
            labelled.append(LabelledImage(image_id, image, label, classes, is_synthetic(noted.get("info", {}))))
        else:
            left_out.append(f"The label of '{image_id}' is left out: its file is missing.")
    return Studies(tuple(labelled), tuple(without), tuple(left_out))


def canonical(word: str) -> str:
    """The vocabulary's name for a name, synonym or code; a word that it does not have stays as it is."""
    try:
        return load_vocabulary().find(word).name
    except UnknownClassError:
        return word.strip()


def _named(values: Mapping[str, Any]) -> dict[int, str]:
    named = {}
    for name, value in values.items():
        whole = isinstance(value, (int, str)) and str(value).isdecimal()
        # A background that somebody listed is no class.
        if whole and int(value) > 0 and name.strip() and name.strip().lower() != "background":
            named[int(value)] = canonical(name)
    return dict(sorted(named.items()))


def _objects(folder: Path) -> dict[str, Any]:
    record = folder / RECORD
    if not record.is_file():
        raise FileNotFoundError(f"{folder} is no studies folder with labels: it has no {RECORD}.")
    try:
        objects = json.loads(record.read_text(encoding="utf-8"))["objects"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{record} cannot be read: {error!r}.") from error
    if not isinstance(objects, dict) or not all(isinstance(entry, dict) for entry in objects.values()):
        raise ValueError(f"{record} cannot be read: it lists no objects.")
    return objects


def _file_name(image_id: str, noted: Mapping[str, Any]) -> str:
    name = noted.get("info", {}).get("name")
    # A record is a file that others can write: no name of it may lead out of the folder.
    return Path(name).name if isinstance(name, str) and name else f"{image_id}{noted.get('ext', '')}"
