"""The public sets that the bundled models learn from, as labelled views.

The folder is named by the environment variable SAMANTIC_DATA: `isic2017`, `busi`, `msd_hippocampus`,
`totalsegmentator` and `splits.json` with the image ids of the parts train, val and test.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from samantic.datasets.labelled_view import LabelledView
from samantic.datasets.overlaps import training_overlaps
from samantic.datasets.supersampling import supersampled, supersampled_labels
from samantic.imaging import Modality, SliceView, Volume, read_volume, to_uint8, window_for

PARTS = ("train", "val", "test")


def data_folder() -> Path:
    """Return the folder that SAMANTIC_DATA names; FileNotFoundError says how to set it."""
    named = os.environ.get("SAMANTIC_DATA")
    if not named or not (Path(named) / "splits.json").is_file():
        raise FileNotFoundError(
            "SAMANTIC_DATA must name the folder of the public data sets (with splits.json); "
            f"it is {named!r}. Set it, for example: export SAMANTIC_DATA=~/samantic-data"
        )
    return Path(named)


def image_ids(folder: Path, dataset: str, part: str) -> list[str]:
    """Return the ids of one part ("train", "val" or "test") of a set, in the order of splits.json."""
    if part not in PARTS:
        raise ValueError(f"'{part}' is not a part of a data set; use train, val or test.")
    return list(json.loads((folder / "splits.json").read_text(encoding="utf-8"))[dataset][part])


def learnable_ids(folder: Path, dataset: str) -> list[str]:
    """Return the training ids but for those of lesions and persons that the other parts show as well."""
    parts = {part: image_ids(folder, dataset, part) for part in PARTS}
    overlapping = set(training_overlaps(dataset, parts))
    return [image_id for image_id in parts["train"] if image_id not in overlapping]


def isic2017(folder: Path, part: str) -> Iterator[LabelledView]:
    """Dermoscopy with skin lesions (ISIC 2017, CC0)."""
    for image_id in image_ids(folder, "isic2017", part):
        root = folder / "isic2017"
        yield _photograph(
            image_id,
            "dermoscopy",
            root / "images" / f"{image_id}.jpg",
            root / "masks" / f"{image_id}.png",
            "skin_lesion",
        )


def busi(folder: Path, part: str) -> Iterator[LabelledView]:
    """Breast ultrasound with the union of the lesions (BUSI, CC BY 4.0); normal images have none.

    The part train leaves out other pictures of lesions that the other parts show (`samantic.datasets.overlaps`).
    """
    for image_id in _readable_ids(folder, "busi", part):
        kind = image_id.split("_")[0]
        root = folder / "busi"
        yield _photograph(
            image_id,
            "breast_ultrasound",
            root / "images" / kind / f"{image_id}.png",
            root / "masks" / kind / f"{image_id}.png",
            "breast_lesion",
        )


def hippocampus(folder: Path, part: str, also_empty: bool = False) -> Iterator[LabelledView]:
    """Slices through both parts of the hippocampus along all axes (MSD Task04, CC BY-SA 4.0).

    The part train leaves out persons whose other side the other parts show (`samantic.datasets.overlaps`).
    """
    root = folder / "msd_hippocampus"
    for image_id in _readable_ids(folder, "msd_hippocampus", part):
        volume = read_volume(root / "imagesTr" / f"{image_id}.nii.gz", modality="MR")
        labels = read_volume(root / "labelsTr" / f"{image_id}.nii.gz").array.astype(np.int16)
        yield from slices(
            image_id, "mr", volume, labels, ("hippocampus_anterior", "hippocampus_posterior"), also_empty=also_empty
        )


def ct(folder: Path) -> Iterator[LabelledView]:
    """Every 3 mm a slice of the example CT along all axes, at 1.5 mm (TotalSegmentator, Apache-2.0).

    One patient, for training only; the 3 mm of the file are supersampled, so that borders of labels are smooth.
    """
    yield from _totalsegmentator(folder, "example_ct", "example_seg_v1_104cls", "labels_v1", "ct", "CT")


def mr(folder: Path) -> Iterator[LabelledView]:
    """Every 3 mm a slice of the example MR along all axes, at 1.5 mm (TotalSegmentator, Apache-2.0).

    One patient, for training only; the 3 mm of the file are supersampled, so that borders of labels are smooth.
    """
    yield from _totalsegmentator(folder, "example_mr_sm", "example_seg_mr", "labels_mr", "mr", "MR")


def dicom_ct(folder: Path) -> Iterator[LabelledView]:
    """Axial slices of the DICOM CT (TotalSegmentator, Apache-2.0): another patient, for testing only."""
    root = folder / "totalsegmentator"
    volume = read_volume(root / "example_ct_dicom")
    labels = _in_grid_of(volume, read_volume(root / "example_seg_dicom.nii.gz"))
    names = _label_names(root / "labels.csv")
    yield from slices("example_ct_dicom", "ct", volume, labels, names, axes=(2,))


TRAINING_SETS: dict[str, Callable[[Path], Iterator[LabelledView]]] = {
    "isic2017": lambda folder: isic2017(folder, "train"),
    "busi": lambda folder: busi(folder, "train"),
    "hippocampus": lambda folder: hippocampus(folder, "train"),
    "ct": ct,
    "mr": mr,
}
"""What `samantic train segsam` learns from, by name."""

WHOLE_TRAINING_SETS: dict[str, Callable[[Path], Iterator[LabelledView]]] = {
    **TRAINING_SETS,
    "hippocampus": lambda folder: hippocampus(folder, "train", also_empty=True),
}
"""The same with the slices that show nothing."""

VALIDATION_SETS: dict[str, Callable[[Path], Iterator[LabelledView]]] = {
    "isic2017": lambda folder: isic2017(folder, "val"),
    "busi": lambda folder: busi(folder, "val"),
    "hippocampus": lambda folder: hippocampus(folder, "val"),
}
"""What choices are made on; CT and MR have none, since one patient each is all there is to learn from."""


def slices(
    image_id: str,
    domain: str,
    volume: Volume,
    labels: np.ndarray,
    class_names: tuple[str, ...],
    axes: tuple[int, ...] = (0, 1, 2),
    step: int = 1,
    also_empty: bool = False,
) -> Iterator[LabelledView]:
    """Yield every `step`-th slice along `axes` that shows at least one label, or every one; labels (I, J, K)."""
    window = window_for(volume)
    for axis in axes:
        for index in range(0, volume.shape_ijk[axis], step):
            view = SliceView.of(volume, axis, index)
            picture = view.extract(labels)
            if also_empty or picture.any():
                image = to_uint8(view.extract(volume.array), window)
                yield LabelledView(f"{image_id}/{view.key}", domain, image, picture, class_names, view.spacing_yx_mm)


def _readable_ids(folder: Path, dataset: str, part: str) -> list[str]:
    return learnable_ids(folder, dataset) if part == "train" else image_ids(folder, dataset, part)


def _photograph(image_id: str, domain: str, image: Path, mask: Path, class_name: str) -> LabelledView:
    volume = read_volume(image)
    view = SliceView.of(volume, 2, 0)
    labels = (view.extract(read_volume(mask).array) > 0).astype(np.int16)
    picture = to_uint8(view.extract(volume.array), window_for(volume))
    return LabelledView(image_id, domain, picture, labels, (class_name,))


def _totalsegmentator(
    folder: Path, image: str, segmentation: str, table: str, domain: str, modality: Modality
) -> Iterator[LabelledView]:
    root = folder / "totalsegmentator"
    volume = supersampled(read_volume(root / f"{image}.nii.gz", modality=modality))
    labels = supersampled_labels(read_volume(root / f"{segmentation}.nii.gz").array.astype(np.int16))
    # Neighbours of the finer grid say nearly the same twice.
    yield from slices(image, domain, volume, labels, _label_names(root / f"{table}.csv"), step=2)


def _label_names(table: Path) -> tuple[str, ...]:
    with table.open(encoding="utf-8", newline="") as lines:
        rows = sorted(csv.DictReader(lines), key=lambda row: int(row["value"]))
    if [int(row["value"]) for row in rows] != list(range(1, len(rows) + 1)):
        raise ValueError(f"The label values in {table.name} must run from 1 without gaps.")
    return tuple(row["name"] for row in rows)


def _in_grid_of(volume: Volume, labels: Volume) -> np.ndarray:
    """The labels (I, J, K) of the same voxels stored with other flips, in the voxel order of `volume`."""
    to_labels = np.linalg.inv(labels.affine) @ volume.affine
    rotation = np.rint(to_labels[:3, :3]).astype(int)
    if not np.allclose(rotation, to_labels[:3, :3], atol=1e-2) or np.any(rotation != np.diag(np.diag(rotation))):
        raise ValueError("The labels are not a flipped copy of the image's grid.")
    flips = tuple(slice(None, None, int(step)) for step in np.diag(rotation))
    return labels.array[flips].astype(np.int16)
