"""Whether a NRRD file is whole, found out in little memory: where it is not, Slicer's own reader ends the program."""

from __future__ import annotations

import re
import zlib
from pathlib import Path
from typing import IO

from SamanticLib.errors import SamanticError

HEADER_LIMIT = 2**22  # bytes; hundreds of segments with their terminology take a tenth of it
CHUNK = 2**20
SIZES = {
    **dict.fromkeys(("signed char", "int8", "int8_t", "uchar", "unsigned char", "uint8", "uint8_t"), 1),
    **dict.fromkeys(("short", "short int", "signed short", "signed short int", "int16", "int16_t"), 2),
    **dict.fromkeys(("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"), 2),
    **dict.fromkeys(
        ("int", "signed int", "int32", "int32_t", "uint", "unsigned int", "uint32", "uint32_t", "float"), 4
    ),
    **dict.fromkeys(("longlong", "long long", "int64", "int64_t", "ulonglong", "uint64", "uint64_t", "double"), 8),
}


def check_nrrd(path: Path) -> None:
    """Raise SamanticError unless a file has a NRRD header and all the voxels that it tells of, raw or gzipped."""
    try:
        with path.open("rb") as file:
            fields = _header(path, file)
            expected = _bytes_of_voxels(path, fields)
            found = _count(file, fields.get("encoding", ""), expected)
    except OSError as error:
        raise SamanticError(f"'{path}' cannot be read: {error.strerror or error}.") from error
    except zlib.error as error:
        raise _damaged(path, "its voxels cannot be unpacked") from error
    if found != expected:
        raise _damaged(path, f"it should hold {expected} bytes of voxels")


def _header(path: Path, file: IO[bytes]) -> dict[str, str]:
    if not re.fullmatch(rb"NRRD000\d\r?\n", file.readline(16)):
        raise _damaged(path, "it is no NRRD file")
    fields: dict[str, str] = {}
    while file.tell() < HEADER_LIMIT:
        line = file.readline(HEADER_LIMIT)
        if not line.endswith(b"\n"):
            break
        text = line.decode("utf-8", "replace").strip()
        if not text:
            return fields
        name, colon, value = text.partition(": ")
        if colon and not text.startswith("#") and ":=" not in name:
            fields[name.lower()] = value.strip()
    raise _damaged(path, "its header has no end")


def _bytes_of_voxels(path: Path, fields: dict[str, str]) -> int:
    if "data file" in fields or "datafile" in fields:
        raise _damaged(path, "its voxels are in another file")
    sizes = fields.get("sizes", "").split()
    size = SIZES.get(fields.get("type", "").lower())
    if size is None or not sizes or not all(number.isdecimal() for number in sizes):
        raise _damaged(path, "it does not say what its voxels are")
    if fields.get("dimension", "") != str(len(sizes)):
        raise _damaged(path, "its sizes and its dimension contradict each other")
    for number in sizes:
        size *= int(number)
    return size


def _count(file: IO[bytes], encoding: str, expected: int) -> int:
    """Return how many bytes of voxels follow, one more than expected standing for too many."""
    gzipped = encoding.lower() in ("gzip", "gz")
    if not gzipped and encoding.lower() != "raw":
        return -1
    inflate = zlib.decompressobj(31)
    found = 0
    for chunk in iter(lambda: file.read(CHUNK), b""):
        rest = chunk
        while rest and found <= expected:
            if not gzipped:
                found, rest = found + len(rest), b""
                continue
            found += len(inflate.decompress(rest, CHUNK))
            rest = inflate.unconsumed_tail
    # A stream that is cut off short of its own end lacks voxels or the sum that proves them.
    return -1 if gzipped and not inflate.eof else found


def _damaged(path: Path, why: str) -> SamanticError:
    return SamanticError(f"'{path}' is damaged or no segmentation: {why}. Take another copy of it.")
