"""Phantoms stored in every orientation, and DICOM series made of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from samantic.imaging import Volume


@dataclass(frozen=True)
class Orientation:
    """How voxel axes are stored: `axes` permutes them, `flips` then turns some around."""

    axes: tuple[int, int, int]
    flips: tuple[bool, bool, bool]

    def array(self, array: np.ndarray) -> np.ndarray:
        return array.transpose(*self.axes, *range(3, array.ndim))[
            tuple(slice(None, None, -1 if flip else 1) for flip in self.flips)
        ]

    def affine(self, affine: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        stored_to_original = np.zeros((4, 4))
        stored_to_original[3, 3] = 1
        for stored, (original, flip) in enumerate(zip(self.axes, self.flips, strict=True)):
            stored_to_original[original, stored] = -1 if flip else 1
            stored_to_original[original, 3] = shape[original] - 1 if flip else 0
        return affine @ stored_to_original

    def volume(self, volume: Volume) -> Volume:
        return Volume(
            self.array(volume.array), self.affine(volume.affine, volume.shape_ijk), volume.modality, volume.kind
        )


@pytest.fixture(scope="session")
def all_orientations() -> list[Orientation]:
    """The 48 ways to permute and flip three axes."""
    flips = list(itertools.product((False, True), repeat=3))
    return [Orientation(axes, flip) for axes in itertools.permutations(range(3)) for flip in flips]  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def oblique_affine() -> np.ndarray:
    """Rotated about all three axes, spacing 0.7 x 1.1 x 2.5 mm, i to the left, j to posterior, k to superior."""
    rotation = np.eye(3)
    for axis, angle in enumerate((0.2, -0.15, 0.1)):
        one, two = (axis + 1) % 3, (axis + 2) % 3
        turn = np.eye(3)
        turn[[one, one, two, two], [one, two, one, two]] = np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)
        rotation = rotation @ turn
    affine = np.eye(4)
    affine[:3, :3] = rotation @ np.diag([-0.7, -1.1, 2.5])
    affine[:3, 3] = 12.5, -80.25, 33.125
    return affine


@pytest.fixture(scope="session")
def phantom(oblique_affine: np.ndarray) -> Volume:
    """An asymmetric CT-like volume (5, 7, 9) whose voxels are all different."""
    values = np.random.default_rng(7).permutation(5 * 7 * 9).astype(np.int16).reshape(5, 7, 9) * 5 - 700
    return Volume(values, oblique_affine, "CT")


@pytest.fixture(scope="session")
def labels() -> np.ndarray:
    """Labels 0 to 4 in the grid of the phantom, asymmetric, some at its faces."""
    result = np.zeros((5, 7, 9), np.uint8)
    result[1:4, 2:6, 3:5], result[0, 0, 0], result[4, 6, 8], result[2:, 1, 6] = 1, 2, 3, 4
    return result


@pytest.fixture
def dicom_slice() -> Callable[..., Path]:
    """Writes one CT slice: rows x columns stored values, with any header value overridden by keyword."""

    def write(path: Path, pixels: np.ndarray, position: np.ndarray, **overrides: object) -> Path:
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = pydicom.uid.CTImageStorage
        meta.MediaStorageSOPInstanceUID = generate_uid()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        one = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
        one.is_little_endian, one.is_implicit_VR = True, False
        one.SOPClassUID, one.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
        one.SeriesInstanceUID, one.StudyInstanceUID, one.Modality = "1.2.3.4", "1.2.3", "CT"
        one.Rows, one.Columns = pixels.shape[:2]
        one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
        one.BitsAllocated = one.BitsStored = pixels.dtype.itemsize * 8
        one.HighBit, one.PixelRepresentation = one.BitsStored - 1, int(pixels.dtype.kind == "i")
        one.PixelSpacing, one.ImageOrientationPatient = [1, 1], [1, 0, 0, 0, 1, 0]
        one.ImagePositionPatient = [round(float(value), 9) for value in position]
        one.RescaleSlope, one.RescaleIntercept = 1, 0
        for name, value in overrides.items():
            if value is None:
                delattr(one, name)
            else:
                setattr(one, name, value)
        one.PixelData = pixels.tobytes()
        one.save_as(path, write_like_original=False)
        return path

    return write


@pytest.fixture
def dicom_series(dicom_slice: Callable[..., Path]) -> Callable[..., Path]:
    """Writes a volume as a folder of CT slices along k, in shuffled file order."""

    def write(folder: Path, volume: Volume, **overrides: object) -> Path:
        folder.mkdir(exist_ok=True)
        lps = np.diag([-1, -1, 1, 1]) @ volume.affine
        i, j, _ = (lps[:3, axis] for axis in range(3))
        spacing = volume.spacing_mm
        names = np.random.default_rng(1).permutation(volume.shape_ijk[2])
        for k, name in enumerate(names):
            header = {
                "PixelSpacing": [repr(spacing[1])[:16], repr(spacing[0])[:16]],
                "ImageOrientationPatient": [f"{value:.12f}" for value in (*(i / spacing[0]), *(j / spacing[1]))],
                **overrides,
            }
            pixels = np.ascontiguousarray(volume.array[:, :, k].T)
            dicom_slice(folder / f"image{name:03d}", pixels, (lps @ [0, 0, k, 1])[:3], **header)
        return folder

    return write
