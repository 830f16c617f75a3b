"""NIfTI-1 and NIfTI-2 in one file (.nii, .nii.gz)."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import nibabel as nib
import numpy as np

from samantic.imaging.errors import ImageReadError
from samantic.imaging.raw_image import LPS_TO_RAS, RawImage
from samantic.imaging.voxel_data import check_size, read_voxels

HEADER_BYTES = 540  # of NIfTI-2; NIfTI-1 has 348
MAX_OFFSET = 16 << 20  # header extensions are small; a larger offset only makes us decompress nothing for long
SCANNER = 1
UNITS_MM = {"meter": 1000.0, "micron": 0.001}
RGB24 = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])


def read_nifti(path: Path) -> RawImage:
    """Reads a NIfTI file; the slope and intercept of its header are applied.

    Two-dimensional images get a third axis of one voxel; RGB24 becomes (I, J, K, 3). Raises ImageReadError for 4-D
    series, complex values, detached (.hdr/.img) pairs, absurd sizes and truncated data. Source: NIfTI-1.1 and NIfTI-2.
    """
    compressed = _is_gzip(path)
    header = _header(path, compressed)
    shape = _shape_3d(path, header)
    try:
        dtype, affine = header.get_data_dtype(), _affine(header)
        offset = int(header.get_data_offset())
        slope, intercept = header.get_slope_inter()
    except Exception as error:  # nibabel raises many kinds on a nonsensical header
        raise ImageReadError(f"the header of '{path.name}' is damaged ({error})") from error
    if dtype.kind not in "iufV" or (dtype.kind == "V" and dtype != RGB24):
        raise ImageReadError(f"'{path.name}' holds values of type {dtype}; numbers and 24-bit colour are read")
    check_size(path, shape, dtype)
    if not 0 < offset <= MAX_OFFSET:
        raise ImageReadError(f"the header of '{path.name}' says that its data begins at byte {offset}, which cannot be")
    array = _voxels(path, compressed, offset, dtype, shape)
    if slope is not None and (slope, intercept) != (1, 0) and dtype != RGB24:
        array = _scaled(array, slope, intercept)
    return RawImage(array, affine)


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _header(path: Path, compressed: bool) -> nib.Nifti1Header:
    try:
        with gzip.open(path) if compressed else path.open("rb") as file:
            block = file.read(HEADER_BYTES)
    except (OSError, EOFError, zlib.error) as error:
        raise ImageReadError(f"the compressed data of '{path.name}' is damaged or cut short ({error})") from error
    for kind, magic_at, magic in ((nib.Nifti1Header, 344, b"n+1\0"), (nib.Nifti2Header, 4, b"n+2\0")):
        size = kind.sizeof_hdr
        if block[magic_at : magic_at + 4] == magic and len(block) >= size:
            try:
                return kind(block[:size], check=False)
            except Exception as error:
                raise ImageReadError(f"the header of '{path.name}' is damaged ({error})") from error
    if block[344:348] == b"ni1\0":
        raise ImageReadError(f"'{path.name}' is half of a .hdr/.img pair; convert it to one .nii.gz file")
    raise ImageReadError(f"'{path.name}' is not a NIfTI file, whatever its name says")


def _shape_3d(path: Path, header: nib.Nifti1Header) -> tuple[int, int, int]:
    shape = [int(n) for n in header.get_data_shape()]
    while len(shape) > 3 and shape[-1] == 1:
        shape.pop()
    if not 2 <= len(shape) <= 3:
        size = " x ".join(map(str, shape)) or "nothing"
        raise ImageReadError(f"'{path.name}' has {len(shape)} dimensions ({size}); give one 3-D volume at a time")
    i, j, k = (*shape, 1)[:3]
    return i, j, k


def _affine(header: nib.Nifti1Header) -> np.ndarray:
    # Between the two matrices, and in its units, as ITK chooses: a mask must lie on its image in 3D Slicer too.
    sform_code, qform_code = int(header["sform_code"]), int(header["qform_code"])
    if sform_code == SCANNER or (sform_code > 0 and qform_code <= 0):
        affine = header.get_sform()
    elif qform_code > 0:
        affine = header.get_qform()
    else:
        affine = LPS_TO_RAS @ np.diag([*header["pixdim"][1:4], 1.0])
    scale = UNITS_MM.get(header.get_xyzt_units()[0], 1.0)
    return np.diag([scale, scale, scale, 1.0]) @ affine


def _voxels(path: Path, compressed: bool, offset: int, dtype: np.dtype, shape: tuple[int, int, int]) -> np.ndarray:
    if not compressed:
        array = read_voxels(path, offset, "raw", dtype, shape)
    else:
        array = read_voxels(path, 0, "gzip", dtype, shape, skip=offset)
    if dtype == RGB24:
        return np.stack([array[name] for name in "RGB"], axis=-1)
    return array


def _scaled(array: np.ndarray, slope: float, intercept: float) -> np.ndarray:
    whole = array.dtype.kind in "iu" and array.dtype.itemsize <= 2 and slope == 1 and float(intercept).is_integer()
    if whole and abs(intercept) < 1 << 30:
        return array.astype(np.int32) + np.int32(intercept)
    return array.astype(np.float32) * np.float32(slope) + np.float32(intercept)
