"""One image, whatever file it came from: voxels, geometry, modality."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, get_args

import numpy as np

Modality = Literal["CT", "MR", "US", "RGB", "unknown"]
Kind = Literal["volume", "photograph"]

MODALITIES: tuple[str, ...] = get_args(Modality)
PERCENTILES = (0.5, 99.5)
CHUNK = 1 << 18  # voxels counted at once: their indices stay in the processor's cache


@dataclass(frozen=True, eq=False)
class Volume:
    """A volume or a photograph in memory; it does not change once made.

    array: (I, J, K) or (I, J, K, 3) for colour, in the voxel order of ITK and 3D Slicer, made read-only here.
    affine: (4, 4) float64, voxel index ijk -> RAS millimetres.
    A photograph is (W, H, 1[, 3]) with i = x, j = y and affine diag(-1, -1, 1, 1).
    Raises ValueError if these do not fit together. Source: ours.
    """

    array: np.ndarray
    affine: np.ndarray
    modality: Modality = "unknown"
    kind: Kind = "volume"

    def __post_init__(self) -> None:
        colour = self.array.ndim == 4 and self.array.shape[3] == 3
        if self.array.ndim != 3 and not colour:
            raise ValueError(f"an image is (I, J, K) or (I, J, K, 3), not {self.array.shape}")
        if 0 in self.array.shape:
            raise ValueError(f"an image needs at least one voxel along every axis, not {self.array.shape}")
        if self.modality not in MODALITIES:
            raise ValueError(f"modality '{self.modality}' is not one of {', '.join(MODALITIES)}")
        if self.kind not in get_args(Kind):
            raise ValueError(f"kind '{self.kind}' is not one of {', '.join(get_args(Kind))}")
        array = self.array.view()
        array.flags.writeable = False
        object.__setattr__(self, "array", array)
        object.__setattr__(self, "affine", checked_affine(self.affine))

    @property
    def shape_ijk(self) -> tuple[int, int, int]:
        """Number of voxels along i, j and k."""
        i, j, k = self.array.shape[:3]
        return i, j, k

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance in millimetres between neighbours along i, j and k."""
        return spacing_of(self.affine)

    @property
    def is_rgb(self) -> bool:
        """Whether the voxels have three colour channels."""
        return self.array.ndim == 4

    @cached_property
    def content_hash(self) -> str:
        """sha256 of voxels, type and geometry: equal for the same image, whatever file or memory layout holds it."""
        digest = hashlib.sha256()
        digest.update(f"{self.array.shape} {self.array.dtype.str} ".encode())
        digest.update(np.ascontiguousarray(self.affine).tobytes())
        # Transposed, the usual Fortran order of image files is contiguous and costs no copy.
        digest.update(np.ascontiguousarray(self.array.T).data)
        return digest.hexdigest()

    @cached_property
    def intensity_percentiles(self) -> tuple[float, float]:
        """The 0.5th and 99.5th percentile of the whole image, computed once."""
        return _percentiles(self.array)

    def with_array(self, array: np.ndarray) -> Volume:
        """The same geometry, modality and kind around other voxels of the same grid.

        Raises ValueError if `array` (I, J, K[, 3]) has another shape.
        """
        if array.shape[:3] != self.shape_ijk:
            raise ValueError(f"the array is {array.shape[:3]}, the image {self.shape_ijk}")
        return replace(self, array=array)


def checked_affine(affine: np.ndarray) -> np.ndarray:
    """A read-only float64 copy of a (4, 4) affine; ValueError if it is not finite or not invertible. Source: ours."""
    checked = np.array(affine, dtype=np.float64)
    if checked.shape != (4, 4) or not np.isfinite(checked).all():
        raise ValueError("the affine must be a 4x4 matrix of finite numbers")
    if not np.array_equal(checked[3], (0, 0, 0, 1)):
        raise ValueError(f"the last row of the affine must be 0 0 0 1, not {checked[3]}")
    lengths = np.linalg.norm(checked[:3, :3], axis=0)
    if (lengths == 0).any() or abs(np.linalg.det(checked[:3, :3] / np.where(lengths == 0, 1, lengths))) < 1e-6:
        raise ValueError("the affine is not invertible: two axes point the same way, or a spacing is zero")
    checked.flags.writeable = False
    return checked


def spacing_of(affine: np.ndarray) -> tuple[float, float, float]:
    """Voxel spacing in millimetres along i, j and k of a (4, 4) affine. Source: ours."""
    i, j, k = np.linalg.norm(affine[:3, :3], axis=0)
    return float(i), float(j), float(k)


def _percentiles(array: np.ndarray) -> tuple[float, float]:
    flat = array.ravel(order="K")
    if array.dtype.kind in "iu" and array.dtype.itemsize <= 2:
        # Counting is exact and ten times faster than sorting; one click waits for it.
        lowest, highest = int(flat.min()), int(flat.max())
        counts = np.zeros(highest - lowest + 1, dtype=np.int64)
        for start in range(0, flat.size, CHUNK):
            counts += np.bincount(flat[start : start + CHUNK].astype(np.intp) - lowest, minlength=counts.size)
        cumulated = np.cumsum(counts)
        wanted = [np.floor(q / 100 * (flat.size - 1)) for q in PERCENTILES]
        low, high = (int(np.searchsorted(cumulated, position, side="right")) + lowest for position in wanted)
        return float(low), float(high)
    # Values that occur: interpolation would overflow between the ends of a type.
    low, high = np.percentile(flat, PERCENTILES, method="lower")
    return float(low), float(high)
