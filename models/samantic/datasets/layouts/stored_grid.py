"""Size and place of an image as its header says, without reading a voxel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from nibabel import Nifti1Header
from nibabel.orientations import io_orientation
from PIL import Image

from samantic.imaging import ImageReadError, Modality, Volume, image_suffix, nifti, read_volume
from samantic.imaging.photographs import FORMATS, MAX_PIXELS
from samantic.imaging.raw_image import LPS_TO_RAS
from samantic.imaging.readers import PHOTOGRAPHS
from samantic.imaging.volume import checked_affine
from samantic.imaging.voxel_data import check_size, read_voxels


@dataclass(frozen=True, eq=False)
class StoredGrid:
    """Voxels along i, j and k, how many channels are stored one after another, and the affine (4, 4) to RAS mm."""

    shape_ijk: tuple[int, int, int]
    affine: np.ndarray
    channels: int = 1

    @property
    def shape_ras(self) -> tuple[int, ...]:
        """Voxels along the axes nearest to R, A and S: equal for two files that differ in flips and permutations."""
        axes = io_orientation(self.affine)[:, 0].astype(int).tolist()
        return tuple(self.shape_ijk[axes.index(ras)] for ras in range(3))

    def blank(self) -> Volume:
        """An image of this grid that takes no memory: what a label file is fitted to when only the labels are read."""
        return Volume(np.broadcast_to(np.uint8(0), self.shape_ijk), self.affine)


def stored_grid(path: Path) -> StoredGrid:
    """Read the grid of a PNG, JPEG, BMP or NIfTI file; ImageReadError for a file that is none and for absurd sizes."""
    if image_suffix(path) in PHOTOGRAPHS:
        try:
            with Image.open(path, formats=FORMATS) as picture:
                width, height = picture.size
        except Exception as error:  # Pillow raises many kinds on damaged files
            raise ImageReadError(f"'{path.name}' is not a PNG, JPEG or BMP picture") from error
        if width * height > MAX_PIXELS:
            raise ImageReadError(f"'{path.name}' claims to be a picture of more than {MAX_PIXELS} pixels")
        return StoredGrid((width, height, 1), LPS_TO_RAS)
    return _nifti_grid(path)[0]


def read_channel(path: Path, channel: int, modality: Modality | None) -> Volume:
    """Read an image; of a 4-D NIfTI file only the channel `channel`, as if the others were not there.

    Raises ImageReadError as `samantic.imaging.read_volume` does, and for a channel that is not there.
    """
    if image_suffix(path) in PHOTOGRAPHS:
        return read_volume(path, modality=modality)
    grid, header = _nifti_grid(path)
    if grid.channels == 1:
        return read_volume(path, modality=modality)
    if channel >= grid.channels:
        raise ImageReadError(f"'{path.name}' has {grid.channels} channels; there is no channel {channel}")
    dtype, offset = header.get_data_dtype(), int(header.get_data_offset())
    if dtype.kind not in "iuf" or not 0 < offset <= nifti.MAX_OFFSET:
        raise ImageReadError(f"the header of '{path.name}' is damaged or its values are no numbers")
    skipped = offset + channel * math.prod(grid.shape_ijk) * dtype.itemsize
    with path.open("rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
    if compressed:
        array = read_voxels(path, 0, "gzip", dtype, grid.shape_ijk, skip=skipped)
    else:
        array = read_voxels(path, skipped, "raw", dtype, grid.shape_ijk)
    slope, intercept = header.get_slope_inter()
    if slope is not None and (slope, intercept) != (1, 0):
        array = array * np.float32(slope) + np.float32(intercept)
    return Volume(np.nan_to_num(array.astype(np.float32, copy=False)), grid.affine, modality or "MR")


def _nifti_grid(path: Path) -> tuple[StoredGrid, Nifti1Header]:
    try:
        # The reader's own choice between the two matrices of a header: image and labels must agree with it.
        header = nifti._header(path, nifti._is_gzip(path))
        shape = [int(n) for n in header.get_data_shape()]
        affine = checked_affine(nifti._affine(header))
        dtype = header.get_data_dtype()
    except ImageReadError:
        raise
    except Exception as error:  # nibabel raises many kinds on a nonsensical header
        raise ImageReadError(f"'{path.name}' has no usable NIfTI header ({error})") from error
    while len(shape) > 3 and shape[-1] == 1:
        shape.pop()
    if not 2 <= len(shape) <= 4:
        raise ImageReadError(f"'{path.name}' has {len(shape)} dimensions; 2 to 4 are read, the fourth for channels")
    check_size(path, tuple(shape), dtype)
    i, j, k, channels = (*shape, 1, 1)[:4] if len(shape) < 4 else shape
    return StoredGrid((i, j, k), affine, channels), header
