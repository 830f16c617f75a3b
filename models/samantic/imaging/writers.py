"""Volumes and label maps -> files, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from samantic.imaging.atomic import atomic_path
from samantic.imaging.errors import ImageWriteError
from samantic.imaging.extent import crop_affine, labels_present
from samantic.imaging.headers import NRRD_TYPES, metaimage_header, nifti_header, nrrd_header
from samantic.imaging.readers import image_suffix
from samantic.imaging.segments import SegmentInfo, default_segments, segment_texts
from samantic.imaging.sparse_deflate import gzip_stream, zlib_stream
from samantic.imaging.volume import Volume

MASK_SUFFIXES = (".nii.gz", ".nii", ".seg.nrrd", ".nrrd", ".mha", ".png")
VOLUME_SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".mha", ".png", ".jpg", ".jpeg")
JPEG_QUALITY = 95
NIFTI_MAX_AXIS = 32767


def write_mask(
    path: Path | str,
    labels_ijk: np.ndarray,
    reference: Volume,
    segments: Sequence[SegmentInfo] | None = None,
    lower_ijk: tuple[int, int, int] | None = None,
    durable: bool = True,
) -> None:
    """Writes a label map, values exactly as they are, in the format of the suffix and with the reference's geometry.

    labels_ijk: (I, J, K) bool or integer, stored as uint8, or as uint16 if a label is above 255. Fortran order costs no
    copy. segments: names, colours and terminology for .seg.nrrd; other formats hold values only. lower_ijk: the labels
    are only the part of the reference that begins there, and get its origin. durable: see `atomic_path`.
    Raises ImageWriteError for other suffixes (JPEG changes values), other shapes, negative or fractional labels and
    labels above 65535, and segments that share a value. Source: ours.
    """
    path = Path(path)
    suffix = image_suffix(path)
    if suffix not in MASK_SUFFIXES:
        raise ImageWriteError(f"a mask cannot be written as '{path.name}'; use one of {', '.join(MASK_SUFFIXES)}")
    _check_place(labels_ijk, reference, lower_ijk)
    labels = _as_unsigned(labels_ijk)
    offset = lower_ijk or (0, 0, 0)
    affine = crop_affine(reference.affine, offset)
    texts: Mapping[str, str] = {}
    if suffix == ".seg.nrrd":
        if segments is None:
            segments = default_segments(labels_present(labels))
        _check_segments(segments)
        if labels.size == 1:  # Slicer takes a single voxel for an empty segmentation
            labels = np.pad(labels, ((0, 0), (0, 0), (0, 1)))
        i, j, k = labels.shape
        texts = segment_texts(segments, (i, j, k), offset)
    _write(path, suffix, labels, affine, texts, durable)


def write_volume(path: Path | str, volume: Volume, durable: bool = True) -> None:
    """Writes an image in the format of the suffix: NIfTI, NRRD, MetaImage, or PNG or JPEG for one slice.

    Values survive exactly, except in JPEG. Raises ImageWriteError for other suffixes, and for pictures of more than one
    slice or of values that the format cannot hold. Source: ours.
    """
    path = Path(path)
    suffix = image_suffix(path)
    if suffix not in VOLUME_SUFFIXES:
        raise ImageWriteError(f"an image cannot be written as '{path.name}'; use one of {', '.join(VOLUME_SUFFIXES)}")
    array = volume.array.view(np.uint8) if volume.array.dtype == bool else volume.array
    if array.dtype.str[1:] not in NRRD_TYPES:
        raise ImageWriteError(f"an image of {array.dtype} values cannot be written; use integers, float32 or float64")
    _write(path, suffix, array, volume.affine, {}, durable)


def default_mask_suffix(volume: Volume) -> str:
    """The suffix of a mask nobody asked a format for: ".png" of photographs, ".nii.gz" of volumes. Source: ours."""
    return ".png" if volume.kind == "photograph" else ".nii.gz"


def _check_place(labels: np.ndarray, reference: Volume, lower: tuple[int, int, int] | None) -> None:
    if labels.ndim != 3 or 0 in labels.shape:
        raise ImageWriteError(f"a label map is (I, J, K) with at least one voxel, not {labels.shape}")
    if lower is None:
        if labels.shape != reference.shape_ijk:
            raise ImageWriteError(f"the label map is {labels.shape}, its image {reference.shape_ijk}")
        return
    upper = tuple(low + count for low, count in zip(lower, labels.shape, strict=True))
    if min(lower) < 0 or any(high > count for high, count in zip(upper, reference.shape_ijk, strict=True)):
        raise ImageWriteError(f"the part {lower} to {upper} does not lie inside the image {reference.shape_ijk}")


def _check_segments(segments: Sequence[SegmentInfo]) -> None:
    values = [segment.value for segment in segments]
    if len(set(values)) < len(values) or (values and min(values) < 1):
        raise ImageWriteError(f"every segment needs a label value of its own from 1 on, not {values}")


def _as_unsigned(labels: np.ndarray) -> np.ndarray:
    if labels.dtype == bool:
        return labels.view(np.uint8)
    if labels.dtype.kind not in "iu":
        raise ImageWriteError(f"labels are whole numbers, not {labels.dtype}")
    lowest, highest = (0 if labels.dtype.kind == "u" else int(labels.min())), int(labels.max())
    if lowest < 0 or highest > 65535:
        raise ImageWriteError(f"labels lie between 0 and 65535, not {lowest} to {highest}")
    return labels.astype(np.uint8 if highest <= 255 else np.uint16, copy=False)


def _write(
    path: Path, suffix: str, array: np.ndarray, affine: np.ndarray, texts: Mapping[str, str], durable: bool
) -> None:
    array = array.astype(array.dtype.newbyteorder("<"), copy=False)
    with atomic_path(path, durable) as temporary:
        if suffix in (".png", ".jpg", ".jpeg"):
            _save_picture(temporary, path.name, suffix, array)
        else:
            with temporary.open("wb") as file:
                file.writelines(_pieces(suffix, array, affine, texts))


def _pieces(suffix: str, array: np.ndarray, affine: np.ndarray, texts: Mapping[str, str]) -> Iterable[bytes]:
    data = _bytes_of(array)
    if suffix.startswith(".nii") and max(array.shape) > NIFTI_MAX_AXIS:
        raise ImageWriteError(f"NIfTI cannot hold an axis of {max(array.shape)} voxels; use .nrrd")
    if suffix == ".nii.gz":
        yield from gzip_stream(nifti_header(array, affine), data)
    elif suffix == ".nii":
        yield nifti_header(array, affine)
        yield data.tobytes()
    elif suffix == ".mha":
        compressed = list(zlib_stream(data))
        yield metaimage_header(array, affine, sum(len(piece) for piece in compressed))
        yield from compressed
    else:
        yield nrrd_header(array, affine, texts)
        yield from gzip_stream(b"", data)


def _bytes_of(array: np.ndarray) -> np.ndarray:
    # Files run i fastest (the three channels before it): the transpose in C order, which is no copy in Fortran order.
    ordered = np.moveaxis(array, 3, 0) if array.ndim == 4 else array
    return np.ascontiguousarray(ordered.T).reshape(-1).view(np.uint8)


def _save_picture(temporary: Path, name: str, suffix: str, array: np.ndarray) -> None:
    if array.shape[2] != 1:
        raise ImageWriteError(f"'{name}' can hold one slice, not {array.shape[2]}; use .nii.gz")
    pixels = np.ascontiguousarray(np.swapaxes(array[:, :, 0], 0, 1))
    if pixels.dtype != np.uint8 and not (suffix == ".png" and pixels.dtype == np.uint16 and pixels.ndim == 2):
        raise ImageWriteError(f"'{name}' cannot hold {pixels.dtype} values; use .nii.gz, or window it to 8 bits first")
    picture = Image.fromarray(pixels)
    if suffix == ".png":
        picture.save(temporary, "PNG", compress_level=1)
    else:
        picture.save(temporary, "JPEG", quality=JPEG_QUALITY, subsampling=0)
