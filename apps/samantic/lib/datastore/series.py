"""DICOM series as images: found in folders, converted once to NIfTI kept aside with the headers beside it."""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path
from typing import Any

import pydicom
from monailabel.datastore.local import DataModel, ImageLabelModel

from samantic.app.lib.datastore.listing import ASIDE_FOLDER, Listing
from samantic.app.lib.datastore.names import derived_id
from samantic.imaging import ImageReadError, atomic_path, list_series, read_volume, write_volume

SERIES_EXTENSION = ".nii.gz"
SOURCE = "dicom"

logger = logging.getLogger(__name__)


def is_series(image: DataModel) -> bool:
    """Whether an image is a DICOM series in a folder."""
    return image.info.get("source") == SOURCE


def is_current(image: DataModel, listing: Listing) -> bool:
    """Whether the folder of a series is there, unchanged since the series was found in it."""
    return listing.series.get(str(image.info.get("name"))) == image.info.get("stamp")


def with_found_series(objects: dict[str, ImageLabelModel], listing: Listing) -> dict[str, ImageLabelModel]:
    """Return `objects` with a record for every series in new or changed folders; a folder may hold several.

    The id is the folder's name, with a number from the second series on. Source: ours.
    """
    found = dict(objects)
    looked_at = {
        str(r.image.info["name"]) for r in objects.values() if is_series(r.image) and is_current(r.image, listing)
    }
    for folder in sorted(listing.series.keys() - looked_at):
        known = {r.image.info["series_uid"]: i for i, r in found.items() if _lies_in(r.image, folder)}
        for uid, modality in _series_in(listing.studies / folder):
            image_id = known.get(uid) or derived_id(folder if folder != "." else listing.studies.name, found)
            old = found.get(image_id)
            info = {
                **(old.image.info if old else {"ts": int(time.time())}),
                "name": folder,
                "source": SOURCE,
                "modality": modality,
                "series_uid": uid,
                "stamp": listing.series[folder],
            }
            image = DataModel(ext=SERIES_EXTENSION, info=info)
            found[image_id] = ImageLabelModel(image=image, labels=old.labels if old else {})
    return found


def converted_path(studies: Path, image_id: str) -> Path:
    """Return where the NIfTI of a series is kept."""
    return studies / ASIDE_FOLDER / "series" / f"{image_id}{SERIES_EXTENSION}"


def convert(studies: Path, image_id: str, image: DataModel) -> Path:
    """Return the NIfTI of a series, written now unless it is there and the folder has not changed since.

    Beside it stands a JSON file with the headers of the first slice and the files in the order of their slices' names.
    Raises ImageReadError if the folder does not hold one whole volume. Source: ours.
    """
    nifti = converted_path(studies, image_id)
    headers = nifti.with_name(f"{image_id}.json")
    made_from = [image.info["series_uid"], image.info["stamp"]]
    if nifti.is_file() and _made_from(headers) == made_from:
        return nifti
    folder = studies / str(image.info["name"])
    volume = read_volume(folder, series_uid=str(image.info["series_uid"]))
    nifti.parent.mkdir(parents=True, exist_ok=True)
    write_volume(nifti, volume)
    with atomic_path(headers) as temporary:
        temporary.write_text(json.dumps(_headers(folder, made_from), indent=1), encoding="utf-8")
    return nifti


def _lies_in(image: DataModel, folder: str) -> bool:
    return is_series(image) and image.info.get("name") == folder


def _series_in(folder: Path) -> list[tuple[str, str]]:
    try:
        return [(series.uid, series.modality) for series in list_series(folder)]
    except (ImageReadError, OSError) as error:
        logger.warning("Passed over %s: %s", folder, error)
        return []


def _made_from(headers: Path) -> list[Any] | None:
    try:
        return json.loads(headers.read_text(encoding="utf-8"))["made_from"]
    except (OSError, ValueError, KeyError):
        return None


def _headers(folder: Path, made_from: list[Any]) -> dict[str, Any]:
    uid = made_from[0]
    files = next(series.files for series in list_series(folder) if series.uid == uid)
    slices = [pydicom.dcmread(file, stop_before_pixels=True) for file in files]
    return {
        "made_from": made_from,
        "files": [file.name for file in files],
        "sop_instance_uids": [str(one.get("SOPInstanceUID", "")) for one in slices],
        "header": slices[0].to_json_dict(),
    }
