"""DICOM series: a folder of slices, sorted by where they lie in the patient."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import SimpleITK

from samantic.imaging.errors import ImageReadError
from samantic.imaging.raw_image import RawImage, affine_from_lps
from samantic.imaging.volume import Modality
from samantic.imaging.voxel_data import check_size

MAX_FILES = 20_000
UNEVEN = 0.1  # share of the slice distance by which gaps may differ; a missing slice is far above, rounding below

HEADER_TAGS = [
    "SeriesInstanceUID", "SeriesDescription", "Modality", "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel",
    "BitsAllocated", "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SpacingBetweenSlices",
    "SliceThickness",
]  # fmt: skip


@dataclass(frozen=True)
class DicomSeries:
    """A series found in a folder: its identity and its files, in the order of their names. Source: ours."""

    uid: str
    description: str
    modality: str
    files: tuple[Path, ...]


def list_series(folder: Path) -> tuple[DicomSeries, ...]:
    """The image series among the files directly in `folder`, in the order of their uids.

    Files that are not DICOM images are passed over. Raises ImageReadError for a folder of too many files.
    Source: ours.
    """
    return tuple(
        DicomSeries(
            uid,
            str(slices[0].header.get("SeriesDescription", "")),
            str(slices[0].header.get("Modality", "")),
            tuple(one.path for one in slices),
        )
        for uid, slices in sorted(_by_series(Path(folder)).items())
    )


def read_dicom(path: Path, series_uid: str | None = None) -> RawImage:
    """Reads one series of a folder, or one DICOM file; rescale slope and intercept are applied.

    Slices are sorted along their normal by position; distances and shear come from the first and the last one. Raises
    ImageReadError if there is no series, if there are several and `series_uid` names none of them, and if slices
    differ in size or direction, repeat, or are missing. Source: DICOM PS3.3 C.7.6.2 (image plane module).
    """
    slices = _chosen(path, series_uid)
    first = slices[0].header
    frames = _number(first, "NumberOfFrames", 1)
    if len(slices) > 1 and frames > 1:
        raise ImageReadError(f"'{path.name}' holds several multi-frame files in one series; give them one at a time")
    modality = _modality(first)
    if len(slices) == 1 and frames > 1:
        return _read_multiframe(path, slices[0], modality)
    return _read_slices(path, slices, modality)


@dataclass(frozen=True, eq=False)
class _Slice:
    path: Path
    header: Any  # pydicom.Dataset


def _by_series(folder: Path) -> dict[str, list[_Slice]]:
    files = sorted(file for file in folder.iterdir() if file.is_file())
    if len(files) > MAX_FILES:
        raise ImageReadError(f"'{folder.name}' holds {len(files)} files; at most {MAX_FILES} are read as one folder")
    series: dict[str, list[_Slice]] = defaultdict(list)
    for file in files:
        header = _read_header(file)
        if header is not None:
            series[str(header.get("SeriesInstanceUID", ""))].append(_Slice(file, header))
    return series


def _read_header(file: Path) -> Any:
    try:
        header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=HEADER_TAGS)
        return header if _number(header, "Rows", 0) > 0 and _number(header, "Columns", 0) > 0 else None
    except Exception:  # pydicom raises many kinds on files that are not DICOM
        return None


def _chosen(path: Path, series_uid: str | None) -> list[_Slice]:
    if path.is_file():
        header = _read_header(path)
        if header is None:
            raise ImageReadError(f"'{path.name}' is not a DICOM image, whatever its name says")
        return [_Slice(path, header)]
    series = _by_series(path)
    if not series:
        raise ImageReadError(f"the folder '{path.name}' holds no DICOM images")
    if series_uid is None and len(series) == 1:
        return next(iter(series.values()))
    if series_uid in series:
        return series[series_uid]
    names = "; ".join(f"{uid} ({len(slices)} files)" for uid, slices in sorted(series.items())[:10])
    reason = "choose one by its uid" if series_uid is None else f"none of them is '{series_uid}'"
    raise ImageReadError(f"the folder '{path.name}' holds {len(series)} DICOM series; {reason}: {names}")


def _number(header: Any, tag: str, default: int) -> int:
    value = header.get(tag)
    return default if value is None else int(value)


def _floats(path: Path, header: Any, tag: str, count: int) -> np.ndarray:
    try:
        values = np.array([float(value) for value in header[tag].value])
        if len(values) == count and np.isfinite(values).all():
            return values
    except (KeyError, TypeError, ValueError):
        pass
    raise ImageReadError(f"'{path.name}' does not say {tag} with {count} numbers, so its slices cannot be placed")


def _read_slices(path: Path, slices: list[_Slice], modality: Modality | None) -> RawImage:
    first = slices[0].header
    _check_alike(path, slices)
    rows, columns = int(first.Rows), int(first.Columns)
    channels = _number(first, "SamplesPerPixel", 1)
    check_size(
        path, (columns, rows, len(slices), channels), np.dtype(f"u{max(1, _number(first, 'BitsAllocated', 16) // 8)}")
    )
    slices, affine = _placed(path, slices)
    array = _pixels(path, [one.path for one in slices])
    if array.shape[:3] != (columns, rows, len(slices)):
        raise ImageReadError(f"the pixels of '{path.name}' do not have the size that its headers say")
    return RawImage(array, affine, modality)


def _check_alike(path: Path, slices: list[_Slice]) -> None:
    for tag in ("Rows", "Columns", "SamplesPerPixel", "ImageOrientationPatient", "PixelSpacing"):
        values = {str(one.header.get(tag)) for one in slices}
        if len(values) > 1:
            numeric = [np.array(one.header.get(tag), dtype=float) for one in slices if one.header.get(tag) is not None]
            same = len(numeric) == len(slices) and all(np.allclose(value, numeric[0], atol=1e-4) for value in numeric)
            if not same:
                raise ImageReadError(f"the slices of '{path.name}' differ in {tag}, so they are not one volume")


def _placed(path: Path, slices: list[_Slice]) -> tuple[list[_Slice], np.ndarray]:
    first = slices[0].header
    if len(slices) == 1 and "ImagePositionPatient" not in first:
        return slices, _affine_without_patient(path, first)
    along_row, along_column = _floats(path, first, "ImageOrientationPatient", 6).reshape(2, 3)
    row_spacing, column_spacing = _floats(path, first, "PixelSpacing", 2)
    normal = np.cross(along_row, along_column)
    positions = np.array([_floats(path, one.header, "ImagePositionPatient", 3) for one in slices])
    depths = positions @ normal
    order = np.argsort(depths, kind="stable")
    positions, depths = positions[order], depths[order]
    if len(slices) > 1:
        _check_gaps(path, np.diff(depths))
        step = (positions[-1] - positions[0]) / (len(slices) - 1)
    else:
        step = normal * (_thickness(first) or 1.0)
    directions = np.stack([along_row * column_spacing, along_column * row_spacing, step], axis=1)
    return [slices[index] for index in order], affine_from_lps(directions, positions[0])


def _check_gaps(path: Path, gaps: np.ndarray) -> None:
    typical = float(np.median(gaps))
    if typical <= 0 or gaps.min() < typical * UNEVEN:
        raise ImageReadError(f"'{path.name}' holds several slices at one position; give one phase or echo at a time")
    if np.abs(gaps - typical).max() > typical * UNEVEN:
        raise ImageReadError(
            f"the slices of '{path.name}' are unevenly spaced, {gaps.min():.2f} to {gaps.max():.2f} mm; is one missing?"
        )


def _thickness(header: Any) -> float:
    return float(header.get("SpacingBetweenSlices") or header.get("SliceThickness") or 0)


def _affine_without_patient(path: Path, header: Any) -> np.ndarray:
    # Ultrasound frames and photographs have no place in the patient; they are laid like ITK lays a picture.
    row_spacing, column_spacing = _floats(path, header, "PixelSpacing", 2) if "PixelSpacing" in header else (1.0, 1.0)
    return affine_from_lps(np.diag([column_spacing, row_spacing, _thickness(header) or 1.0]), np.zeros(3))


def _read_multiframe(path: Path, one: _Slice, modality: Modality | None) -> RawImage:
    header = one.header
    shape = (int(header.Columns), int(header.Rows), _number(header, "NumberOfFrames", 1))
    check_size(path, (*shape, _number(header, "SamplesPerPixel", 1)), np.dtype("u2"))
    try:
        image = SimpleITK.ReadImage(str(one.path))
    except RuntimeError as error:
        raise _undecodable(path) from error
    if image.GetDimension() != 3:
        raise ImageReadError(f"'{path.name}' has {image.GetDimension()} dimensions; give one 3-D volume at a time")
    directions = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    return RawImage(_as_ijk(image), affine_from_lps(directions, np.array(image.GetOrigin())), modality)


def _pixels(path: Path, files: list[Path]) -> np.ndarray:
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames([str(file) for file in files])
    try:
        return _as_ijk(reader.Execute())
    except RuntimeError as error:
        raise _undecodable(path) from error


def _as_ijk(image: SimpleITK.Image) -> np.ndarray:
    array = SimpleITK.GetArrayFromImage(image)
    return np.moveaxis(array, (2, 1, 0), (0, 1, 2))


def _undecodable(path: Path) -> ImageReadError:
    return ImageReadError(f"the pixels of '{path.name}' cannot be decoded: a file is cut short, damaged or unusual")


def _modality(header: Any) -> Modality | None:
    name = str(header.get("Modality", "")).upper()
    if name in ("CT", "MR", "US"):
        return name  # type: ignore[return-value]
    return "RGB" if _number(header, "SamplesPerPixel", 1) == 3 else "unknown"
