"""The part of a label map that holds anything, and its place in the world."""

from __future__ import annotations

import numpy as np

Bounds = tuple[tuple[int, int, int], tuple[int, int, int]]


def crop_extent(mask: np.ndarray) -> Bounds | None:
    """Half-open voxel bounds (lower, upper) of what is not zero in (I, J, K); None if everything is. Source: ours."""
    lower, upper = [0, 0, 0], list(mask.shape)
    # The slowest axis first: each further look is only at what is left.
    for axis in (2, 1, 0) if mask.flags.f_contiguous else (0, 1, 2):
        window = mask[tuple(slice(low, high) for low, high in zip(lower, upper, strict=True))]
        used = np.flatnonzero(window.any(axis=tuple(other for other in range(3) if other != axis)))
        if not used.size:
            return None
        lower[axis], upper[axis] = lower[axis] + int(used[0]), lower[axis] + int(used[-1]) + 1
    return (lower[0], lower[1], lower[2]), (upper[0], upper[1], upper[2])


def crop_affine(affine: np.ndarray, lower_ijk: tuple[int, int, int]) -> np.ndarray:
    """The affine (4, 4) of a part that begins at voxel `lower_ijk` of a volume with `affine`. Source: ours."""
    shifted = np.array(affine, dtype=np.float64)
    shifted[:3, 3] += shifted[:3, :3] @ np.asarray(lower_ijk, dtype=np.float64)
    return shifted
