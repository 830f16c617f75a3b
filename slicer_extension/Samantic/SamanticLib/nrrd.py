"""NRRD files of label maps and maps of fractions: a small reader that trusts nothing, and a writer.

Source: ours, after the NRRD 5 format definition. Geometry is that of 3D Slicer: (4, 4) from voxel (i, j, k) to RAS mm.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from SamanticLib.errors import BadAnswer
from SamanticLib.saving import whole_file

MAX_HEADER = 1 << 20
MAX_BYTES = 2 << 30
"""The largest voxel data that are read: a CT of 2000 slices of 1024 x 1024 voxels."""

MOST_EXPANSION = 1032
"""Deflate makes a byte of at most so many (zlib's documentation)."""

FLIP_XY = np.diag([-1.0, -1.0, 1.0, 1.0])

_TYPES = {
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "f4": ("float",),
}
_CODES = {name: code for code, names in _TYPES.items() for name in names}
_TO_RAS = {
    "left-posterior-superior": FLIP_XY,
    "lps": FLIP_XY,
    "right-anterior-superior": np.eye(4),
    "ras": np.eye(4),
}
_DETACHED = ("data file", "datafile", "line skip", "lineskip", "byte skip", "byteskip")


@dataclass(frozen=True, eq=False)
class NrrdImage:
    """values: (i, j, k) uint8, uint16 or float32, read-only. ijk_to_ras: (4, 4), None if the file does not say it."""

    values: np.ndarray
    ijk_to_ras: np.ndarray | None


def read_nrrd(content: bytes, shape_ijk: Sequence[int] | None = None) -> NrrdImage:
    """Read an NRRD file from memory: 2-D or 3-D, uint8, uint16 or float32, raw or gzip, with its data attached.

    shape_ijk: what it must be, a 2-D file being one slice. Sizes are compared with it, and with what the data can hold,
    before memory is taken. Raises BadAnswer for everything else, and for data that are damaged, too short or too long.
    """
    fields, start = _header(content)
    sizes = _sizes(fields)
    shape = tuple([*sizes, 1][:3])
    if shape_ijk is not None and shape != tuple(shape_ijk):
        raise BadAnswer(f"A mask of {_times(shape_ijk)} voxels was to come, but one of {_times(shape)} came.")
    code = _CODES.get(_needed(fields, "type").lower())
    if code is None:
        raise BadAnswer(f"A mask came with values of the type '{fields['type'][:40]}'; uint8, uint16, float are read.")
    if fields.get("endian", "little").lower() not in ("little", "big"):
        raise BadAnswer(f"A mask came with bytes in the order '{fields['endian'][:40]}'; little and big exist.")
    dtype = np.dtype((">" if fields.get("endian", "little").lower() == "big" else "<") + code)
    data = _data(memoryview(content)[start:], _needed(fields, "encoding").lower(), math.prod(shape) * dtype.itemsize)
    values = np.frombuffer(data, dtype).reshape(shape, order="F").astype(dtype.newbyteorder("="), copy=False)
    values.flags.writeable = False
    return NrrdImage(values, _ijk_to_ras(fields, len(sizes)))


def write_nrrd(path: Path, values: np.ndarray, ijk_to_ras: np.ndarray) -> None:
    """Write values (i, j, k), uint8, uint16 or float32, with their geometry (4, 4); gzip, temporary name, rename.

    Raises ValueError for other arrays and matrices, DiskFull, and SamanticError for another error of the disk.
    """
    values, matrix = np.asarray(values), np.asarray(ijk_to_ras, np.float64)
    code = values.dtype.str[1:]
    if values.ndim != 3 or 0 in values.shape or code not in _TYPES:
        raise ValueError(f"values are {values.shape} {values.dtype}; (i, j, k) uint8, uint16 or float32 is written")
    if matrix.shape != (4, 4) or not np.isfinite(matrix).all() or np.linalg.det(matrix[:3, :3]) == 0:
        raise ValueError("the geometry must be a (4, 4) matrix of numbers that can be inverted")
    lps = FLIP_XY @ matrix
    header = "\n".join(
        [
            "NRRD0004",
            f"type: {_TYPES[code][2] if code != 'f4' else 'float'}",
            "dimension: 3",
            "space: left-posterior-superior",
            f"sizes: {' '.join(str(count) for count in values.shape)}",
            f"space directions: {' '.join(_vector(lps[:3, axis]) for axis in range(3))}",
            "kinds: domain domain domain",
            "endian: little",
            "encoding: gzip",
            f"space origin: {_vector(lps[:3, 3])}",
        ]
    )
    packing = zlib.compressobj(1, zlib.DEFLATED, 31)
    little = values.astype(values.dtype.newbyteorder("<"), copy=False)
    with whole_file(Path(path), "the label") as file:
        file.write(f"{header}\n\n".encode("ascii"))
        for k in range(values.shape[2]):  # slice by slice, so that no second copy of a volume is made
            file.write(packing.compress(little[:, :, k].tobytes(order="F")))
        file.write(packing.flush())


def _header(content: bytes) -> tuple[dict[str, str], int]:
    block = content[:MAX_HEADER]
    end = re.search(rb"\r?\n\r?\n", block)
    if not block.startswith(b"NRRD000") or end is None:
        raise BadAnswer("What came as a mask is no NRRD file. Ask again, or tell who runs the server.")
    fields: dict[str, str] = {}
    for line in block[: end.start()].decode("utf-8", "replace").splitlines()[1:]:
        name, colon, value = line.partition(":")
        if line.startswith("#") or value.startswith("="):
            continue
        if not colon:
            raise BadAnswer(f"The header of a mask has a line that is no field: '{line[:80]}'.")
        fields[name.strip().lower()] = value.strip()
    if any(name in fields for name in _DETACHED):
        raise BadAnswer("A mask came whose data are said to be elsewhere; only data in the file itself are read.")
    return fields, end.end()


def _needed(fields: Mapping[str, str], name: str) -> str:
    if not fields.get(name):
        raise BadAnswer(f"The header of a mask lacks the field '{name}'.")
    return fields[name]


def _sizes(fields: Mapping[str, str]) -> tuple[int, ...]:
    words = _needed(fields, "sizes").split()
    if not all(re.fullmatch(r"[0-9]{1,12}", word) and int(word) > 0 for word in words):
        raise BadAnswer(f"The header of a mask says the sizes '{fields['sizes'][:80]}'; whole numbers from 1 are read.")
    if len(words) not in (2, 3) or _needed(fields, "dimension") != str(len(words)):
        raise BadAnswer(
            f"The header of a mask says the dimension '{fields['dimension'][:20]}' and {len(words)} sizes; masks of 2 "
            "or 3 dimensions are read."
        )
    if any(kind not in ("domain", "space", "???", "none") for kind in fields.get("kinds", "").lower().split()):
        raise BadAnswer(f"A mask came with axes of the kinds '{fields['kinds'][:60]}'; one value per voxel is read.")
    return tuple(int(word) for word in words)


def _data(packed: memoryview, encoding: str, count: int) -> bytes | memoryview:
    """Return exactly `count` bytes of voxels."""
    if count > MAX_BYTES:
        raise BadAnswer(f"A mask says it has {count} bytes of voxels; at most {MAX_BYTES} are read.")
    if encoding == "raw":
        data: bytes | memoryview = packed
    elif encoding in ("gzip", "gz"):
        if count > len(packed) * MOST_EXPANSION:
            raise BadAnswer(f"A mask says it has {count} bytes of voxels, but {len(packed)} bytes came.")
        data = _unpacked(packed, count)
    else:
        raise BadAnswer(f"A mask came in the encoding '{encoding[:40]}'; raw and gzip are read.")
    if len(data) != count:
        raise BadAnswer(f"A mask says it has {count} bytes of voxels, but {len(data)} came.")
    return data


def _unpacked(packed: memoryview, count: int) -> bytes:
    unpacking = zlib.decompressobj(31)
    try:
        data = unpacking.decompress(packed, count + 1)
        if len(data) == count:  # the checksum stands behind the last byte
            data += unpacking.decompress(unpacking.unconsumed_tail, 1)
    except zlib.error as error:
        raise BadAnswer(f"A mask came damaged ({error}). Ask again.") from error
    if len(data) == count and not unpacking.eof:
        raise BadAnswer("A mask came without its end. Ask again.")
    return data


def _ijk_to_ras(fields: Mapping[str, str], dimension: int) -> np.ndarray | None:
    to_ras = _TO_RAS.get(fields.get("space", "").lower())
    if to_ras is None or dimension != 3 or "space directions" not in fields or "space origin" not in fields:
        return None
    try:
        columns = [_numbers(text) for text in re.findall(r"\([^)]*\)", fields["space directions"])]
        matrix = np.eye(4)
        matrix[:3, :3] = np.array(columns, np.float64).T
        matrix[:3, 3] = _numbers(fields["space origin"])
    except ValueError as error:
        raise BadAnswer("The header of a mask says a geometry that is none.") from error
    if not np.isfinite(matrix).all():
        raise BadAnswer("The header of a mask says a geometry that is none.")
    return to_ras @ matrix


def _numbers(vector: str) -> list[float]:
    return [float(word) for word in vector.strip("() ").split(",")]


def _vector(numbers: np.ndarray) -> str:
    return f"({','.join(repr(float(number)) for number in numbers)})"


def _times(shape: Sequence[int]) -> str:
    return " x ".join(str(count) for count in shape)
