"""Voxel bytes out of a file, raw or compressed, with every size checked before memory is asked for."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import Literal

import numpy as np

from samantic.imaging.errors import ImageReadError

MAX_VOXELS = 1 << 30
MAX_BYTES = 4 << 30
MAX_DEFLATE_RATIO = 1032  # the format cannot compress better, so a larger claim is a lie or a truncated file
INPUT_CHUNK = 1 << 16
OUTPUT_CHUNK = 1 << 18

Encoding = Literal["raw", "gzip", "zlib"]


def check_size(path: Path, shape: tuple[int, ...], dtype: np.dtype) -> None:
    """Refuses a claimed image size that is empty or absurd.

    shape: all axes as the header claims them, channels included. Raises ImageReadError. Source: ours.
    """
    size = " x ".join(str(n) for n in shape)
    if any(n < 1 for n in shape):
        raise ImageReadError(f"'{path.name}' claims a size of {size}; every axis needs at least one voxel")
    count = math.prod(shape)
    if count > MAX_VOXELS or count * dtype.itemsize > MAX_BYTES:
        raise ImageReadError(
            f"'{path.name}' claims a size of {size} voxels; at most {MAX_VOXELS}, in {MAX_BYTES >> 30} GiB, are read"
        )


def read_voxels(
    path: Path, offset: int, encoding: Encoding, dtype: np.dtype, shape: tuple[int, ...], skip: int = 0
) -> np.ndarray:
    """Reads an array whose first axis runs fastest in the file.

    offset: bytes of the file before the data. skip: bytes before the voxels once decompressed, for "gzip" only.
    Returns (shape) in Fortran order and native byte order. Raises ImageReadError for absurd sizes, truncated or broken
    data. Source: ours.
    """
    check_size(path, shape, dtype)
    needed = math.prod(shape) * dtype.itemsize
    stored = path.stat().st_size - offset
    if needed > stored * (1 if encoding == "raw" else MAX_DEFLATE_RATIO):
        raise _truncated(path, needed)
    data = np.empty(math.prod(shape), dtype=dtype)
    buffer = data.view(np.uint8).data
    try:
        with path.open("rb") as file:
            file.seek(offset)
            filled = file.readinto(buffer) if encoding == "raw" else _inflate(file, encoding, skip, buffer)
    except (OSError, zlib.error) as error:
        raise ImageReadError(f"the compressed data of '{path.name}' is damaged or cut short ({error})") from error
    if filled < needed:
        raise _truncated(path, needed)
    return data.reshape(shape, order="F").astype(dtype.newbyteorder("="), copy=False)


def _inflate(file: BufferedReader, encoding: Encoding, skip: int, buffer: memoryview) -> int:
    """Fills the buffer as far as the stream goes, never decompressing more than that; returns the bytes filled."""
    filled = 0
    for part in _inflated(file, encoding, skip + len(buffer)):
        kept = part[skip:] if skip else part
        skip = max(0, skip - len(part))
        buffer[filled : filled + len(kept)] = kept
        filled += len(kept)
    return filled


def _inflated(file: BufferedReader, encoding: Encoding, wanted: int) -> Iterator[bytes]:
    window_bits = zlib.MAX_WBITS + (16 if encoding == "gzip" else 0)
    inflater = zlib.decompressobj(window_bits)
    pending = b""
    while wanted > 0 or not inflater.eof:  # to the very end, where the checksum stands
        pending = pending or file.read(INPUT_CHUNK)
        if not pending:
            raise zlib.error("the stream does not end")
        if inflater.eof:  # some writers chain several gzip members
            inflater = zlib.decompressobj(window_bits)
        part = inflater.decompress(pending, max(1, min(wanted, OUTPUT_CHUNK)))
        pending = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
        if wanted == 0 and part:  # more than the header promises; nobody asked for it
            return
        wanted -= len(part)
        yield part


def _truncated(path: Path, needed: int) -> ImageReadError:
    return ImageReadError(
        f"'{path.name}' is cut short: its header promises {needed} bytes of voxels, and fewer are there"
    )
