"""Voxel bytes out of a file, raw or compressed, with every size checked before memory is asked for."""

from __future__ import annotations

import gzip
import math
import zlib
from io import BufferedReader
from pathlib import Path
from typing import Literal

import numpy as np

from samantic.imaging.errors import ImageReadError

MAX_VOXELS = 1 << 30
MAX_BYTES = 4 << 30
MAX_DEFLATE_RATIO = 1032  # the format cannot compress better, so a larger claim is a lie or a truncated file

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
        if encoding == "zlib":
            filled = _inflate(path, offset, buffer)
        else:
            with path.open("rb") as raw:
                raw.seek(offset)
                stream: BufferedReader | gzip.GzipFile = raw if encoding == "raw" else gzip.GzipFile(fileobj=raw)
                stream.read(skip)
                filled = _fill(stream, buffer)
    except (OSError, EOFError, zlib.error) as error:
        raise ImageReadError(f"the compressed data of '{path.name}' is damaged or cut short ({error})") from error
    if filled < needed:
        raise _truncated(path, needed)
    return data.reshape(shape, order="F").astype(dtype.newbyteorder("="), copy=False)


def _fill(stream: BufferedReader | gzip.GzipFile, buffer: memoryview) -> int:
    filled = 0
    while filled < len(buffer):
        count = stream.readinto(buffer[filled : filled + (1 << 24)])
        if not count:
            break
        filled += count
    return filled


def _inflate(path: Path, offset: int, buffer: memoryview) -> int:
    inflater = zlib.decompressobj()
    filled = 0
    with path.open("rb") as raw:
        raw.seek(offset)
        pending = b""
        while filled < len(buffer) and not inflater.eof:
            pending = inflater.unconsumed_tail or raw.read(1 << 20)
            if not pending:
                break
            part = inflater.decompress(pending, len(buffer) - filled)
            buffer[filled : filled + len(part)] = part
            filled += len(part)
    return filled


def _truncated(path: Path, needed: int) -> ImageReadError:
    return ImageReadError(
        f"'{path.name}' is cut short: its header promises {needed} bytes of voxels, and fewer are there"
    )
