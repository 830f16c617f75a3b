"""NRRD: attached (.nrrd) and detached (.nhdr with its own .raw or .raw.gz beside it)."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from samantic.imaging.errors import ImageReadError
from samantic.imaging.raw_image import RawImage, affine_from_lps
from samantic.imaging.text_header import detached_data, numbers, whole_numbers
from samantic.imaging.voxel_data import Encoding, read_voxels

MAX_HEADER = 4 << 20  # segmentations carry long texts

TYPES = {
    "i1": ("signed char", "int8", "int8_t"),
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
    "i8": ("longlong", "long long", "long long int", "signed long long", "signed long long int", "int64", "int64_t"),
    "u8": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"),
    "f4": ("float",),
    "f8": ("double",),
}
DTYPES = {name: code for code, names in TYPES.items() for name in names}
ENCODINGS: dict[str, Encoding] = {"raw": "raw", "gzip": "gzip", "gz": "gzip"}
# Sign of the file's x and y against LPS.
SPACES = {
    "left-posterior-superior": (1, 1), "lps": (1, 1),
    "right-anterior-superior": (-1, -1), "ras": (-1, -1),
    "left-anterior-superior": (1, -1), "las": (1, -1),
}  # fmt: skip


def read_nrrd(path: Path) -> RawImage:
    """Reads an NRRD volume, 2-D image or colour volume with its key/value texts.

    Without a space the axes are taken as LPS, as ITK does. Raises ImageReadError for other dimensions, encodings or
    types, absurd sizes, truncated data and headers that point at foreign files. Source: NRRD 5 format definition.
    """
    fields, texts, data_start = _header(path)
    sizes = whole_numbers(path, _needed(path, fields, "sizes"), "sizes")
    if len(sizes) != whole_numbers(path, _needed(path, fields, "dimension"), "dimension", 1)[0]:
        raise ImageReadError(f"the header of '{path.name}' contradicts itself: sizes '{fields['sizes']}'")
    colour = _has_colour_axis(path, fields, sizes)
    grid = sizes[1:] if colour else sizes
    while len(grid) > 3 and grid[-1] == 1:
        grid = grid[:-1]
    if not 2 <= len(grid) <= 3:
        raise ImageReadError(f"'{path.name}' has the size {fields['sizes']}; give one 3-D volume at a time")
    affine = _affine(path, fields, len(grid), axes_before=int(colour))
    source, offset = _data_source(path, fields, data_start)
    shape = (*grid, 1)[:3]
    array = read_voxels(source, offset, _encoding(path, fields), _dtype(path, fields), (3, *shape) if colour else shape)
    return RawImage(np.moveaxis(array, 0, -1) if colour else array, affine, texts=texts)


def read_nrrd_texts(path: Path) -> dict[str, str]:
    """The key/value pairs in the header of an NRRD file; its voxels are not read. ImageReadError if it is none."""
    return _header(path)[1]


def _header(path: Path) -> tuple[dict[str, str], dict[str, str], int]:
    with path.open("rb") as file:
        block = file.read(MAX_HEADER)
    if not block.startswith(b"NRRD000"):
        raise ImageReadError(f"'{path.name}' is not an NRRD file, whatever its name says")
    end = re.search(rb"\r?\n\r?\n", block)
    if end is None and len(block) == MAX_HEADER:
        raise ImageReadError(f"the header of '{path.name}' is longer than {MAX_HEADER} bytes")
    fields: dict[str, str] = {}
    texts: dict[str, str] = {}
    for line in block[: end.start() if end else None].decode("utf-8", "replace").splitlines()[1:]:
        if line.startswith("#"):
            continue
        if ":=" in line:
            key, value = line.split(":=", 1)
            texts[_unescaped(key)] = _unescaped(value)
        elif ": " in line or line.endswith(":"):
            name, value = line.split(":", 1)
            name = name.strip().lower().replace("centerings", "centers")
            fields[{"datafile": "data file", "lineskip": "line skip", "byteskip": "byte skip"}.get(name, name)] = (
                value.strip()
            )
        else:
            raise ImageReadError(f"the header of '{path.name}' has a line that is no field: '{line[:80]}'")
    return fields, texts, end.end() if end else len(block)


def _unescaped(text: str) -> str:
    return re.sub(r"\\(n|\\)", lambda match: "\n" if match[1] == "n" else "\\", text)


def _needed(path: Path, fields: dict[str, str], name: str) -> str:
    if name not in fields:
        raise ImageReadError(f"the header of '{path.name}' lacks the field '{name}'")
    return fields[name]


def _has_colour_axis(path: Path, fields: dict[str, str], sizes: tuple[int, ...]) -> bool:
    kinds = fields.get("kinds", "").lower().split()
    if len(kinds) != len(sizes):
        return False
    not_spatial = [index for index, kind in enumerate(kinds) if kind not in ("domain", "space", "???", "none")]
    if all(index >= 3 and sizes[index] == 1 for index in not_spatial):
        return False
    if kinds[0] == "list":
        raise ImageReadError(f"'{path.name}' holds {sizes[0]} layers of overlapping segments; save it as one layer")
    if not_spatial == [0] and sizes[0] == 3:
        return True
    raise ImageReadError(f"'{path.name}' has axes of the kinds {fields['kinds']}; one value or RGB per voxel is read")


def _dtype(path: Path, fields: dict[str, str]) -> np.dtype:
    name = _needed(path, fields, "type").lower()
    if name not in DTYPES:
        raise ImageReadError(f"'{path.name}' holds values of type '{name[:40]}'; integers and floats are read")
    endian = fields.get("endian", "little").lower()
    if endian not in ("little", "big"):
        raise ImageReadError(f"the header of '{path.name}' says endian '{endian[:40]}'; little and big exist")
    return np.dtype(("<" if endian == "little" else ">") + DTYPES[name])


def _encoding(path: Path, fields: dict[str, str]) -> Encoding:
    name = _needed(path, fields, "encoding").lower()
    if name not in ENCODINGS:
        raise ImageReadError(f"'{path.name}' is encoded as '{name[:40]}'; raw and gzip are read")
    return ENCODINGS[name]


def _affine(path: Path, fields: dict[str, str], dimensions: int, axes_before: int) -> np.ndarray:
    space = fields.get("space", "").lower()
    sign_x, sign_y = SPACES.get(space, (1, 1))
    directions, origin = np.eye(3), np.zeros(3)
    if "space directions" in fields:
        words = re.findall(r"none|\([^)]*\)", fields["space directions"].lower())
        vectors = [word for word in words if word != "none"][:dimensions]
        if len(vectors) != dimensions:
            raise ImageReadError(
                f"the header of '{path.name}' gives {len(vectors)} space directions; {dimensions} are needed"
            )
        for axis, vector in enumerate(vectors):
            directions[:dimensions, axis] = _vector(path, vector, "space directions", dimensions)
    elif "spacings" in fields:
        spacings = fields["spacings"].split()[axes_before : axes_before + dimensions]
        for axis, text in enumerate(spacings):
            if text.lower() != "nan":
                directions[axis, axis] = numbers(path, text, "spacings", 1)[0]
    if "space origin" in fields:
        origin[:dimensions] = _vector(path, fields["space origin"], "space origin", dimensions)
    to_lps = np.diag([sign_x, sign_y, 1.0])
    return affine_from_lps(to_lps @ directions, to_lps @ origin)


def _vector(path: Path, text: str, what: str, count: int) -> np.ndarray:
    return numbers(path, text.strip().strip("()").replace(",", " "), what, count)


def _data_source(path: Path, fields: dict[str, str], data_start: int) -> tuple[Path, int]:
    for skip in ("line skip", "byte skip"):
        if fields.get(skip, "0") != "0":
            raise ImageReadError(f"'{path.name}' uses '{skip}', which is not read; save it as an attached .nrrd")
    if "data file" in fields:
        return detached_data(path, fields["data file"], (".raw", ".raw.gz")), 0
    return path, data_start
