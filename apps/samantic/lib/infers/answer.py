"""Masks of the prompted objects -> the file and the JSON that the client gets."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from samantic.app.lib.infers import wire
from samantic.app.lib.infers.sessions import Extent
from samantic.app.lib.infers.wire import RequestError, shown
from samantic.imaging import SegmentInfo, SliceView, Volume, crop_affine, write_mask, write_volume
from samantic.vocabulary import UnknownClassError, Vocabulary, terminology_string

VOLUME_EXTENSIONS = (".nii.gz", ".nii", ".nrrd", ".seg.nrrd", ".mha")
PHOTOGRAPH_EXTENSIONS = (".png", *VOLUME_EXTENSIONS)
DTYPES = ("uint8", "uint16", "int16", "int32", "float32")
PNG_DTYPES = ("uint8", "uint16")
COLOUR_OF_OWN_NAMES = (128, 174, 128)


@dataclass(frozen=True)
class ResultFormat:
    """How the client wants its mask: whole grid or changed crop, file and voxel type; `to_file` False: JSON only."""

    crop: bool
    extension: str
    dtype: str
    to_file: bool


def read_format(params: Mapping[str, Any], volume: Volume) -> ResultFormat:
    """Read `result` and the stock writer options; raises RequestError for what cannot be written."""
    result = wire.text(params.get("result"), "result") or "full"
    if result not in ("full", "crop"):
        raise RequestError(f"'result' is {shown(result)}, but it must be full or crop.")
    photograph = volume.kind == "photograph"
    allowed = PHOTOGRAPH_EXTENSIONS if photograph else VOLUME_EXTENSIONS
    extension = wire.text(params.get("result_extension"), "result_extension") or allowed[0]
    extension = extension.lower() if extension.startswith(".") else f".{extension.lower()}"
    if extension not in allowed:
        raise RequestError(f"'result_extension' is {shown(extension)}, but it must be one of {', '.join(allowed)}.")
    dtype = wire.text(params.get("result_dtype"), "result_dtype") or "uint8"
    dtypes = PNG_DTYPES if extension == ".png" else DTYPES
    if dtype not in dtypes:
        raise RequestError(
            f"'result_dtype' is {shown(dtype)}, but in {extension} it must be one of {', '.join(dtypes)}."
        )
    to_file = params.get("result_write_to_file")
    return ResultFormat(
        result == "crop", extension, dtype, to_file is None or wire.flag(to_file, "result_write_to_file")
    )


def write_answer(
    volume: Volume,
    view: SliceView,
    labels: np.ndarray,
    changed: Extent | None,
    form: ResultFormat,
    names: Mapping[str, int],
    vocabulary: Vocabulary,
) -> Path:
    """Write the mask to a new temporary file, which the caller removes, and return its path.

    labels: (rows, cols) of `view`. The whole grid of the image, or the `changed` voxels of it with their own origin;
    the time the crop takes does not depend on the size of the volume.
    """
    lower = None
    if form.crop:
        lower, array = _crop(view, labels, changed or _one_voxel(view))
    else:
        array = _whole(view, labels)
    return write_labels(volume, array, lower, form, names, vocabulary)


def write_labels(
    volume: Volume,
    array: np.ndarray,
    lower: tuple[int, int, int] | None,
    form: ResultFormat,
    names: Mapping[str, int],
    vocabulary: Vocabulary,
) -> Path:
    """Write label values (I, J, K) to a new temporary file, which the caller removes, and return its path.

    lower: the values are those of the part of the image that begins at this voxel; None, of all of it.
    """
    with new_file(form) as path:
        if form.extension == ".seg.nrrd":
            write_mask(path, array, volume, segments_of(names, vocabulary), lower, durable=False)
        elif form.dtype == "uint8":
            write_mask(path, array, volume, None, lower, durable=False)
        else:
            affine = volume.affine if lower is None else crop_affine(volume.affine, lower)
            write_volume(path, Volume(array.astype(form.dtype), affine), durable=False)
    return path


@contextmanager
def new_file(form: ResultFormat) -> Iterator[Path]:
    """A new temporary file for an answer, removed again if writing it fails.

    The client gets it over the network and it is gone: it need not survive a power cut.
    """
    handle, name = tempfile.mkstemp(suffix=form.extension, prefix="samantic-")
    os.close(handle)
    path = Path(name)
    try:
        yield path
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def segments_of(names: Mapping[str, int], vocabulary: Vocabulary) -> list[SegmentInfo]:
    """Value, name, colour and terminology of every class in `names` (name -> value)."""
    segments = []
    for name, value in names.items():
        try:
            meant = vocabulary.find(name)
        except UnknownClassError:  # a segment of the client's own, such as "Segment_1"
            segments.append(SegmentInfo(value, name, COLOUR_OF_OWN_NAMES))
        else:
            segments.append(SegmentInfo(value, meant.label, meant.colour_rgb, terminology_string(meant), name))
    return segments


def _whole(view: SliceView, labels: np.ndarray) -> np.ndarray:
    # In the order of image files, so that writing needs no copy.
    array = np.zeros(view.volume_shape_ijk, np.uint8, order="F")
    view.insert(array, labels)
    return array


def _crop(view: SliceView, labels: np.ndarray, changed: Extent) -> tuple[tuple[int, int, int], np.ndarray]:
    lower, upper = (changed[0], changed[2], changed[4]), (changed[1], changed[3], changed[5])
    i, j, k = (high - low for low, high in zip(lower, upper, strict=True))
    x0, y0, x1, y1 = view.box_to_view(lower, upper)
    array = np.zeros((i, j, k), np.uint8, order="F")
    SliceView((i, j, k), view.affine, view.axis, 0).insert(array, labels[y0:y1, x0:x1])
    return lower, array


def _one_voxel(view: SliceView) -> Extent:
    # Where nothing was found, one empty voxel is the smallest mask that a file can hold.
    i, j, k = (view.index if axis == view.axis else 0 for axis in range(3))
    return i, i + 1, j, j + 1, k, k + 1
