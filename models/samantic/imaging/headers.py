"""The headers that the writers put before the voxels."""

from __future__ import annotations

from collections.abc import Mapping

import nibabel as nib
import numpy as np

from samantic.imaging.nifti import RGB24
from samantic.imaging.raw_image import LPS_TO_RAS
from samantic.imaging.volume import spacing_of

NRRD_TYPES = {
    "i1": "signed char", "u1": "unsigned char", "i2": "short", "u2": "unsigned short", "i4": "int",
    "u4": "unsigned int", "i8": "long long", "u8": "unsigned long long", "f4": "float", "f8": "double",
}  # fmt: skip
META_TYPES = {
    "i1": "MET_CHAR", "u1": "MET_UCHAR", "i2": "MET_SHORT", "u2": "MET_USHORT", "i4": "MET_INT", "u4": "MET_UINT",
    "i8": "MET_LONG_LONG", "u8": "MET_ULONG_LONG", "f4": "MET_FLOAT", "f8": "MET_DOUBLE",
}  # fmt: skip


def nifti_header(array: np.ndarray, affine: np.ndarray) -> bytes:
    """NIfTI-1 header, with its empty extension field, of an (I, J, K[, 3]) array; 352 bytes."""
    header = nib.Nifti1Header()
    header.set_data_dtype(RGB24 if array.ndim == 4 else array.dtype)
    header.set_data_shape(array.shape[:3])
    header.set_xyzt_units("mm")
    header.set_sform(affine, code=1)
    # The quaternion cannot hold a shear; then the matrix alone is right.
    header.set_qform(affine, code=1 if is_orthogonal(affine) else 0, strip_shears=True)
    header["vox_offset"], header["magic"] = 352, b"n+1"
    header.set_slope_inter(1, 0)
    return bytes(header.binaryblock) + b"\0\0\0\0"


def nrrd_header(array: np.ndarray, affine: np.ndarray, texts: Mapping[str, str]) -> bytes:
    """NRRD header in LPS, up to and with the blank line, of an (I, J, K[, 3]) array that is stored gzipped."""
    lps = LPS_TO_RAS @ affine
    colour = array.ndim == 4
    vectors = " ".join(_vector(lps[:3, axis]) for axis in range(3))
    lines = [
        "NRRD0005",
        f"type: {NRRD_TYPES[array.dtype.str[1:]]}",
        f"dimension: {array.ndim}",
        "space: left-posterior-superior",
        "sizes: " + " ".join(str(n) for n in (((3,) if colour else ()) + array.shape[:3])),
        f"space directions: {'none ' if colour else ''}{vectors}",
        f"kinds: {'RGB-color ' if colour else ''}domain domain domain",
        "endian: little",
        "encoding: gzip",
        f"space origin: {_vector(lps[:3, 3])}",
        *(f"{_escaped(key)}:={_escaped(value)}" for key, value in texts.items()),
    ]
    return ("\n".join(lines) + "\n\n").encode()


def metaimage_header(array: np.ndarray, affine: np.ndarray, compressed_bytes: int) -> bytes:
    """MetaImage header in LPS, for zlib data in the same file, of an (I, J, K[, 3]) array."""
    lps = LPS_TO_RAS @ affine
    spacing = np.array(spacing_of(affine))
    lines = [
        "ObjectType = Image",
        "NDims = 3",
        "BinaryData = True",
        "BinaryDataByteOrderMSB = False",
        "CompressedData = True",
        f"CompressedDataSize = {compressed_bytes}",
        "TransformMatrix = " + _numbers((lps[:3, :3] / spacing).T.ravel()),
        "Offset = " + _numbers(lps[:3, 3]),
        "CenterOfRotation = 0 0 0",
        "ElementSpacing = " + _numbers(spacing),
        "DimSize = " + " ".join(str(n) for n in array.shape[:3]),
        *(["ElementNumberOfChannels = 3"] if array.ndim == 4 else []),
        f"ElementType = {META_TYPES[array.dtype.str[1:]]}",
        "ElementDataFile = LOCAL",
    ]
    return ("\n".join(lines) + "\n").encode()


def is_orthogonal(affine: np.ndarray) -> bool:
    """Whether the voxel axes of an affine are at right angles, up to rounding."""
    directions = affine[:3, :3] / np.array(spacing_of(affine))
    return bool(np.allclose(directions.T @ directions, np.eye(3), atol=1e-5))


def _numbers(values: np.ndarray) -> str:
    return " ".join(repr(float(value) + 0.0) for value in values)  # adding 0 turns -0.0 into 0.0


def _vector(values: np.ndarray) -> str:
    return "(" + _numbers(values).replace(" ", ",") + ")"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\r", "").replace("\n", "\\n")
