"""Label maps as files that the server takes: `.nrrd` with the geometry of the image, `.png` of photographs."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np

from SamanticLib.nrrd import write_nrrd
from SamanticLib.saving import whole_file

LARGEST_VALUE = 65535


def write_label(path: Path, labels: np.ndarray, ijk_to_ras: np.ndarray | None = None) -> Path:
    """Write label values (i, j, k), 0 to 65535, into `path` and return it.

    `.nrrd`: with `ijk_to_ras` (4, 4), the geometry of the image that they lie on. `.png`: a photograph's (x, y, 1),
    pixel for pixel, without geometry. uint8 where the values allow it, otherwise uint16. Written under a temporary name
    and renamed. Raises ValueError for other names, values and shapes, DiskFull, and SamanticError for another error of
    the disk.
    """
    path, values = Path(path), _as_unsigned(np.asarray(labels))
    suffix = path.suffix.lower()
    if suffix == ".nrrd" and ijk_to_ras is not None:
        write_nrrd(path, values, ijk_to_ras)
    elif suffix == ".png" and values.shape[2] == 1:
        with whole_file(path, "the label") as file:
            file.write(_png(values[:, :, 0].T))
    else:
        raise ValueError(
            f"a label of {values.shape} cannot be written as '{path.name}'; use .nrrd with ijk_to_ras, or .png for one "
            "slice"
        )
    return path


def _as_unsigned(labels: np.ndarray) -> np.ndarray:
    if labels.ndim != 3 or 0 in labels.shape or labels.dtype.kind not in "bui":
        raise ValueError(f"labels are {labels.shape} {labels.dtype}; whole numbers (i, j, k) are written")
    lowest, highest = int(labels.min()), int(labels.max())
    if lowest < 0 or highest > LARGEST_VALUE:
        raise ValueError(f"labels run from {lowest} to {highest}; 0 to {LARGEST_VALUE} are written")
    return labels.astype(np.uint8 if highest <= 255 else np.uint16, copy=False)


def _png(rows: np.ndarray) -> bytes:
    """Grey levels (rows, columns) uint8 or uint16 as PNG (ISO/IEC 15948), every row unfiltered."""
    height, width = rows.shape
    bytes_each = rows.dtype.itemsize
    lines = np.zeros((height, 1 + width * bytes_each), np.uint8)
    lines[:, 1:] = np.ascontiguousarray(rows.astype(f">u{bytes_each}")).view(np.uint8)
    head = struct.pack(">IIBBBBB", width, height, 8 * bytes_each, 0, 0, 0, 0)
    chunks = (_chunk(b"IHDR", head), _chunk(b"IDAT", zlib.compress(lines.tobytes(), 6)), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
