"""MetaImage: attached (.mha) and detached (.mhd with its own .raw or .zraw beside it)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from samantic.imaging.errors import ImageReadError
from samantic.imaging.raw_image import RawImage, affine_from_lps
from samantic.imaging.text_header import detached_data, numbers, whole_numbers
from samantic.imaging.volume import Modality
from samantic.imaging.voxel_data import read_voxels

MAX_HEADER = 1 << 20

DTYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4", "MET_UINT": "u4",
    "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4", "MET_DOUBLE": "f8",
}  # fmt: skip


def read_metaimage(path: Path) -> RawImage:
    """Reads a MetaImage volume, 2-D image or colour volume.

    Raises ImageReadError for other dimensions or types, absurd sizes, truncated data and headers that point at foreign
    files. Source: MetaIO format definition (LPS coordinates, as ITK writes it).
    """
    fields, data_start = _header(path)
    (dimensions,) = whole_numbers(path, _needed(path, fields, "ndims"), "NDims", 1)
    if dimensions not in (2, 3, 4):
        raise ImageReadError(f"'{path.name}' has {dimensions} dimensions; give one 3-D volume at a time")
    sizes = whole_numbers(path, _needed(path, fields, "dimsize"), "DimSize", dimensions)
    if dimensions == 4 and sizes[3] != 1:
        raise ImageReadError(f"'{path.name}' has the size {fields['dimsize']}; give one 3-D volume at a time")
    (channels,) = whole_numbers(path, fields.get("elementnumberofchannels", "1"), "ElementNumberOfChannels", 1)
    if channels not in (1, 3):
        raise ImageReadError(f"'{path.name}' has {channels} values per voxel; one value or RGB is read")
    affine = _affine(path, fields, dimensions)
    source, offset = _data_source(path, fields, data_start)
    shape = (*sizes, 1)[:3]
    compressed = fields.get("compresseddata", "False").lower() == "true"
    array = read_voxels(
        source, offset, "zlib" if compressed else "raw", _dtype(path, fields), shape if channels == 1 else (3, *shape)
    )
    return RawImage(array if channels == 1 else np.moveaxis(array, 0, -1), affine, _modality(fields))


def _header(path: Path) -> tuple[dict[str, str], int]:
    with path.open("rb") as file:
        block = file.read(MAX_HEADER)
    fields: dict[str, str] = {}
    position = 0
    while position < len(block):
        end = block.find(b"\n", position)
        end = len(block) if end < 0 else end
        line = block[position:end].decode("latin-1")
        position = end + 1
        name, separator, value = line.partition("=")
        if not separator:
            break
        fields[name.strip().lower()] = value.strip()
        if name.strip().lower() == "elementdatafile":  # by definition the last field
            if "ndims" in fields:
                return fields, position
            break
    raise ImageReadError(f"'{path.name}' is not a MetaImage file, whatever its name says")


def _needed(path: Path, fields: dict[str, str], name: str) -> str:
    if name not in fields:
        raise ImageReadError(f"the header of '{path.name}' lacks the field '{name}'")
    return fields[name]


def _dtype(path: Path, fields: dict[str, str]) -> np.dtype:
    name = _needed(path, fields, "elementtype").upper()
    if name not in DTYPES:
        raise ImageReadError(f"'{path.name}' holds values of type '{name[:40]}'; integers and floats are read")
    big = fields.get("binarydatabyteordermsb", fields.get("elementbyteordermsb", "False")).lower() == "true"
    return np.dtype((">" if big else "<") + DTYPES[name])


def _affine(path: Path, fields: dict[str, str], dimensions: int) -> np.ndarray:
    spatial = min(dimensions, 3)
    directions, origin = np.eye(3), np.zeros(3)
    for name in ("transformmatrix", "rotation", "orientation"):
        if name in fields:
            # One row per voxel axis, hence transposed.
            matrix = numbers(path, fields[name], name, dimensions**2).reshape(dimensions, dimensions).T
            directions[:spatial, :spatial] = matrix[:spatial, :spatial]
            break
    spacing = numbers(path, fields.get("elementspacing", "1 " * dimensions), "ElementSpacing", dimensions)
    directions[:, :spatial] *= spacing[:spatial]
    for name in ("offset", "position", "origin"):
        if name in fields:
            origin[:spatial] = numbers(path, fields[name], name, dimensions)[:spatial]
            break
    return affine_from_lps(directions, origin)


def _data_source(path: Path, fields: dict[str, str], data_start: int) -> tuple[Path, int]:
    (header_size,) = whole_numbers(path, fields.get("headersize", "0"), "HeaderSize", 1)
    if header_size != 0:
        raise ImageReadError(f"'{path.name}' uses HeaderSize {header_size}, which is not read; save it as .mha")
    name = fields["elementdatafile"]
    if name.upper() == "LOCAL":
        return path, data_start
    return detached_data(path, name, (".raw", ".zraw")), 0


def _modality(fields: dict[str, str]) -> Modality | None:
    known: dict[str, Modality] = {"MET_MOD_CT": "CT", "MET_MOD_MR": "MR", "MET_MOD_US": "US"}
    return known.get(fields.get("modality", "").upper())
