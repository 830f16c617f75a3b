"""A label in the grid of its image, laid back onto the DICOM slices that the image was made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pydicom

from samantic.exporting.studies import DicomSource
from samantic.imaging import ImageReadError, list_series

ACROSS = 0.1  # voxels: what a pixel's centre may miss the voxel's within its slice, by rounding in headers
ALONG = 0.45  # voxels: slices may be a little unevenly spaced, but each must be nearest to one of its own

EMPTY = (
    "PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyID", "StudyDate", "StudyTime",
    "AccessionNumber", "ReferringPhysicianName",
)  # fmt: skip
"""What a DICOM SEG repeats of its series and may be empty, but not missing (type 2)."""

NEEDED = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID", "PixelSpacing")
NEEDED_OF_PLACE = ("ImagePositionPatient", "ImageOrientationPatient")


class DicomSliceError(ValueError):
    """A label cannot be laid onto DICOM slices; the message is half a sentence that says why."""


def source_slices(source: DicomSource) -> list[Any]:
    """Return the headers (pydicom datasets, without pixels) of a series, in the order of its files' names.

    Raises DicomSliceError for a series that is gone, multi-frame files, and slices without a place in the patient.
    """
    try:
        files = next((one.files for one in list_series(source.folder) if one.uid == source.series_uid), ())
        slices = [pydicom.dcmread(file, stop_before_pixels=True) for file in files]
    except (ImageReadError, OSError) as error:
        raise DicomSliceError(f"its DICOM series cannot be read: {error}.") from error
    if not slices:
        raise DicomSliceError("its DICOM series is not in the studies any more.")
    for one in slices:
        if int(one.get("NumberOfFrames") or 1) > 1:
            raise DicomSliceError("its series is one file of many frames; only series of single slices are written.")
        missing = [keyword for keyword in (*NEEDED, *NEEDED_OF_PLACE) if not one.get(keyword)]
        if missing:
            raise DicomSliceError(f"its DICOM slices do not say {missing[0]}, by which a SEG is placed on them.")
        for keyword in EMPTY:
            if keyword not in one:
                setattr(one, keyword, "")
    return slices


def labels_on_slices(labels: np.ndarray, affine: np.ndarray, slices: Sequence[Any]) -> np.ndarray:
    """Return labels (I, J, K) of a grid as pixels (slices, rows, columns), frame n on slice n.

    affine: voxel index of the grid -> RAS millimetres, its axes flipped or permuted against the slices as may be.
    Raises DicomSliceError where pixels do not lie on voxels, or slices and voxels are not one to one.
    """
    to_voxels = np.linalg.inv(affine)
    rows, columns = int(slices[0].Rows), int(slices[0].Columns)
    if len(slices) * rows * columns != labels.size:
        raise DicomSliceError(
            f"its series has {len(slices)} slices of {columns} x {rows} pixels, its label "
            f"{' x '.join(map(str, labels.shape))} voxels; was the series changed since?"
        )
    frames = np.zeros((len(slices), rows, columns), labels.dtype)
    used: set[tuple[int, int]] = set()
    for number, one in enumerate(slices):
        origin, along_row, along_column = (to_voxels @ vector for vector in _plane(one))
        axis = _axis_across(along_row, along_column)
        where = _voxels(origin, along_row, along_column, (rows, columns), axis, labels.shape)
        used.add((axis, int(where[0, 0, axis])))
        frames[number] = labels[where[..., 0], where[..., 1], where[..., 2]]
    if len(used) != len(slices):
        raise DicomSliceError("two of its DICOM slices lie on one slice of the label; was the series changed since?")
    return frames


def _plane(one: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the place of the first pixel and the steps along a row and a column, (4,) homogeneous RAS millimetres."""
    to_ras = np.array([-1.0, -1.0, 1.0])  # DICOM counts to the left and to the back
    position = np.array([float(value) for value in one.ImagePositionPatient]) * to_ras
    directions = np.array([float(value) for value in one.ImageOrientationPatient]).reshape(2, 3) * to_ras
    between_rows, between_columns = (float(value) for value in one.PixelSpacing)
    return (
        np.array([*position, 1.0]),
        np.array([*(directions[0] * between_columns), 0.0]),
        np.array([*(directions[1] * between_rows), 0.0]),
    )


def _axis_across(along_row: np.ndarray, along_column: np.ndarray) -> int:
    first, second = int(np.abs(along_row[:3]).argmax()), int(np.abs(along_column[:3]).argmax())
    if first == second:
        raise DicomSliceError("its DICOM slices are turned against the label's voxels.")
    return 3 - first - second


def _voxels(
    origin: np.ndarray,
    along_row: np.ndarray,
    along_column: np.ndarray,
    size: tuple[int, int],
    axis: int,
    shape: tuple[int, ...],
) -> np.ndarray:
    """Return the voxel (rows, columns, 3) that each pixel lies on; DicomSliceError where one lies on none."""
    row, column = np.arange(size[0])[:, None, None], np.arange(size[1])[None, :, None]
    places = origin[:3] + row * along_column[:3] + column * along_row[:3]
    voxels = np.rint(places).astype(np.int64)
    missed = np.abs(places - voxels).max(axis=(0, 1))
    limits = np.full(3, ACROSS)
    limits[axis] = ALONG
    flat = (voxels[..., axis] == voxels[0, 0, axis]).all()
    if (missed > limits).any() or not flat:
        raise DicomSliceError("the pixels of its DICOM slices do not lie on the label's voxels.")
    if (voxels < 0).any() or (voxels >= np.array(shape)).any():
        raise DicomSliceError("its DICOM slices reach beyond the label; was the series changed since?")
    return voxels
