"""The labelled images of a studies folder, with everything that was noted about them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from samantic.exporting.errors import ExportError
from samantic.exporting.label_names import LabelNamesError, by_value, class_name, noted_names
from samantic.imaging import ImageReadError, Volume, image_suffix, read_mask, read_segments, read_volume
from samantic.imaging.volume import MODALITIES

RECORD = "datastore_v2.json"
CONVERTED = Path(".samantic") / "series"
SHOWN = 8  # values that a message names


@dataclass(frozen=True)
class DicomSource:
    """The DICOM series that an image is: a folder, and which of the series in it."""

    folder: Path
    series_uid: str


@dataclass(frozen=True)
class LabelledStudy:
    """One image with one label of it.

    image: a file, or a folder with the DICOM series `series_uid`. names: value -> class. notes: all that was noted
    about the label, the record of where it came from under `provenance`. source: the DICOM series that the image is,
    also where `image` is what the server converted it to; None for other files.
    """

    image_id: str
    image: Path
    label: Path
    names: Mapping[int, str]
    notes: Mapping[str, Any]
    modality: str | None = None
    series_uid: str | None = None
    source: DicomSource | None = None

    def volume(self) -> Volume:
        """Read the image; raises ExportError with its id."""
        try:
            return read_volume(self.image, self.modality, self.series_uid)  # type: ignore[arg-type]
        except (ImageReadError, OSError) as error:
            raise ExportError(f"The image '{self.image_id}' cannot be exported: {error}.") from error

    def labels(self, volume: Volume) -> np.ndarray:
        """Read the label, (I, J, K) values as stored, in the grid of its image.

        Raises ExportError if it cannot be read, or holds values that nobody has named.
        """
        try:
            labels = read_mask(self.label, volume)
        except (ImageReadError, OSError) as error:
            raise ExportError(f"The label of '{self.image_id}' cannot be exported: {error}.") from error
        nameless = [int(value) for value in np.unique(labels) if value and int(value) not in self.names]
        if nameless:
            values = ", ".join(map(str, nameless[:SHOWN])) + (", ..." if len(nameless) > SHOWN else "")
            raise ExportError(
                f"The label of '{self.image_id}' holds values that nobody has named: {values}. Name them, for example "
                f"with --name {nameless[0]}=liver."
            )
        return labels


@dataclass(frozen=True)
class StudiesFolder:
    """The labelled images of a studies folder, in the order of their ids, and the ids of those without such a label."""

    labelled: tuple[LabelledStudy, ...]
    without_label: tuple[str, ...]


def read_studies(folder: Path, tag: str = "final", names: Mapping[int, str] | None = None) -> StudiesFolder:
    """Read which images of a studies folder have a label under `tag`; images whose file is gone are passed over.

    names: what values mean that the notes of a label do not name. Raises ExportError where MONAI Label's record is
    missing or damaged and for labels whose notes contradict each other. Source: ours; format of MONAI Label 0.8.5.
    """
    labelled, without = [], []
    for image_id, entry in sorted(_objects(folder).items()):
        found = _image(folder, image_id, _part(entry, "image"))
        if found is None:
            continue
        noted = _part(_part(entry, "labels"), tag)
        label = folder / "labels" / tag / _file_name(image_id, noted)
        if not noted or not label.is_file():
            without.append(image_id)
            continue
        path, modality, series_uid = found
        notes = _part(noted, "info")
        meant = _names(image_id, label, notes, names or {})
        source = _source(folder, _part(entry, "image"))
        labelled.append(LabelledStudy(image_id, path, label, meant, notes, modality, series_uid, source))
    return StudiesFolder(tuple(labelled), tuple(without))


def _names(image_id: str, label: Path, notes: Mapping[str, Any], others: Mapping[int, str]) -> dict[int, str]:
    try:
        noted: Iterable[tuple[str, int]] = noted_names(notes) or _segments(label)
        own = by_value(noted)
    except LabelNamesError as error:
        raise ExportError(
            f"The label of '{image_id}' contradicts itself: {error}. Save it again with one name."
        ) from error
    except ImageReadError as error:
        raise ExportError(f"The label of '{image_id}' cannot be exported: {error}.") from error
    return {value: class_name(name) for value, name in others.items()} | own


def _segments(label: Path) -> list[tuple[str, int]]:
    if image_suffix(label) not in (".nrrd", ".seg.nrrd"):
        return []
    return [(segment.name, segment.value) for segment in read_segments(label)]


def _image(folder: Path, image_id: str, noted: Mapping[str, Any]) -> tuple[Path, str | None, str | None] | None:
    info = _part(noted, "info")
    modality = info.get("modality") if info.get("modality") in MODALITIES else None
    if info.get("source") != "dicom":
        path = folder / _file_name(image_id, noted)
        return (path, modality, None) if path.is_file() else None
    # The server keeps what it converted; that is the grid in which its labels were drawn.
    converted = folder / CONVERTED / f"{Path(image_id).name}.nii.gz"
    if converted.is_file():
        return converted, modality, None
    source = _source(folder, noted)
    return None if source is None else (source.folder, None, source.series_uid)


def _source(folder: Path, noted: Mapping[str, Any]) -> DicomSource | None:
    info = _part(noted, "info")
    series = (folder / str(info.get("name"))).resolve()
    inside = series.is_relative_to(folder.resolve()) and series.is_dir()
    return DicomSource(series, str(info.get("series_uid"))) if info.get("source") == "dicom" and inside else None


def _file_name(image_id: str, noted: Mapping[str, Any]) -> str:
    # The record is a file that others can write: no name in it may lead out of the folder.
    return Path(str(_part(noted, "info").get("name") or f"{image_id}{noted.get('ext', '')}")).name


def _part(entry: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = entry.get(key)
    return value if isinstance(value, dict) else {}


def _objects(folder: Path) -> dict[str, Mapping[str, Any]]:
    if not folder.is_dir():
        raise ExportError(f"There is no folder '{folder}'.")
    record = folder / RECORD
    if not record.is_file():
        raise ExportError(f"'{folder}' holds no labels: it has no {RECORD}, which `samantic serve` writes.")
    try:
        objects = json.loads(record.read_text(encoding="utf-8"))["objects"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ExportError(f"'{record}' cannot be read; start the server once, which repairs it.") from error
    if not isinstance(objects, dict) or not all(isinstance(entry, dict) for entry in objects.values()):
        raise ExportError(f"'{record}' lists no images.")
    return objects
