"""A mask file -> labels in the grid of the image it belongs to."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from samantic.imaging.errors import ImageReadError
from samantic.imaging.photographs import read_label_picture
from samantic.imaging.readers import VOLUME_READERS, image_suffix, read_raw
from samantic.imaging.volume import Volume

READERS = {**VOLUME_READERS, ".png": read_label_picture, ".bmp": read_label_picture}
PICTURES = (".png", ".bmp")
TOLERANCE = 0.05  # in voxels, at every corner: far above the rounding of headers, far below a shift that matters


def read_mask(path: Path | str, reference: Volume) -> np.ndarray:
    """Reads a label map into the reference's grid, values exactly as stored: (I, J, K), uint8 or uint16.

    The pixels of a PNG or BMP are those of the image. Other files may store their axes flipped or permuted, and only a
    part of the reference (as Slicer saves segments, and as a cropped answer is); the rest is zero. Raises
    ImageReadError for unreadable files, for labels that are not whole numbers from 0 to 65535, and if voxels do not lie
    on the voxels of the reference. Source: ours.
    """
    path = Path(path)
    raw = read_raw(path, READERS)
    if raw.array.ndim != 3:
        raise ImageReadError(f"'{path.name}' has three values per voxel; a mask has one label per voxel")
    labels = _as_labels(path, raw.array)
    if image_suffix(path) in PICTURES:
        return _picture(path, labels, reference)
    axes, steps, start = _placement(path, labels.shape, raw.affine, reference)
    return _placed(path, labels, axes, steps, start, reference.shape_ijk)


def _as_labels(path: Path, array: np.ndarray) -> np.ndarray:
    if array.dtype.kind == "f" and not (np.isfinite(array).all() and np.array_equal(array, np.rint(array))):
        raise ImageReadError(f"'{path.name}' holds fractions; a mask holds whole label numbers")
    lowest, highest = float(array.min()), float(array.max())
    if lowest < 0 or highest > 65535:
        raise ImageReadError(f"the labels of '{path.name}' run from {lowest:g} to {highest:g}; 0 to 65535 is allowed")
    return array.astype(np.uint8 if highest <= 255 else np.uint16)


def _picture(path: Path, labels: np.ndarray, reference: Volume) -> np.ndarray:
    # A picture has no geometry; pixel for pixel is the only reading that cannot be wrong.
    if labels.shape != reference.shape_ijk:
        size, whole = (" x ".join(map(str, shape)) for shape in (labels.shape[:2], reference.shape_ijk))
        raise ImageReadError(f"'{path.name}' has {size} pixels, its image {whole}; they must be equal")
    return labels


def _placement(
    path: Path, shape: tuple[int, ...], affine: np.ndarray, reference: Volume
) -> tuple[tuple[int, ...], tuple[int, ...], np.ndarray]:
    """For each reference axis the mask axis that runs along it and its sign, and where mask voxel 0 lies."""
    mask_to_reference = np.linalg.inv(reference.affine) @ affine
    rounded = np.rint(mask_to_reference)
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in shape])).reshape(3, -1)
    shift = np.abs((mask_to_reference - rounded)[:3] @ np.vstack([corners, np.ones(8)])).max()
    if shift > TOLERANCE or not np.array_equal(np.abs(rounded[:3, :3]) @ np.ones(3), np.ones(3)):
        raise ImageReadError(
            f"the voxels of '{path.name}' do not lie on those of the image; resample the mask to the image first"
        )
    directions = rounded[:3, :3].astype(int)
    axes = tuple(int(np.flatnonzero(row)[0]) for row in directions)
    if sorted(axes) != [0, 1, 2]:
        raise ImageReadError(f"the axes of '{path.name}' do not match those of the image; resample the mask first")
    steps = tuple(int(directions[axis, source]) for axis, source in enumerate(axes))
    return axes, steps, rounded[:3, 3].astype(int)


def _placed(
    path: Path,
    labels: np.ndarray,
    axes: tuple[int, ...],
    steps: tuple[int, ...],
    start: np.ndarray,
    shape: tuple[int, int, int],
) -> np.ndarray:
    turned = labels.transpose(axes)[tuple(slice(None, None, step) for step in steps)]
    # A flipped axis begins at its far end.
    lower = [
        int(low) if step > 0 else int(low) - count + 1
        for low, step, count in zip(start, steps, turned.shape, strict=True)
    ]
    if turned.shape == shape and not any(lower):
        return turned
    inside = tuple(
        slice(max(0, -low), max(0, min(count, whole - low)))
        for low, count, whole in zip(lower, turned.shape, shape, strict=True)
    )
    part = turned[inside]
    if np.count_nonzero(part) < np.count_nonzero(turned):
        raise ImageReadError(f"'{path.name}' has labels outside the image; is it the mask of another one?")
    result = np.zeros(shape, dtype=labels.dtype, order="F")
    target = tuple(slice(low + cut.start, low + cut.stop) for low, cut in zip(lower, inside, strict=True))
    if part.size:
        result[target] = part
    return result
