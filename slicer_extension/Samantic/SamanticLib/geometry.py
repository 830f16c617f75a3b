"""Where voxels lie: RAS millimetres and voxel indices, half-open extents, the slices of a view.

Indices count from 0 as ITK and Slicer do; voxel 3 reaches from 2.5 to 3.5. Extents are (i0, i1, j0, j1, k0, k1), i1, j1
and k1 the first ones past the end.
"""

from __future__ import annotations

import numpy as np

from SamanticLib.errors import SamanticError

IjkToRas = np.ndarray
"""(4, 4) float64: voxel index -> RAS millimetres."""

Extent = tuple[int, int, int, int, int, int]
Voxel = tuple[int, int, int]

BORDER = 1e-4  # voxels: a click on the rim of the image may miss it by rounding
AXES = "ijk"


class OutsideImage(SamanticError):  # noqa: N818
    """A place that is not in the image; the message says where it is and how far the image reaches."""


def checked_ijk_to_ras(matrix: np.ndarray) -> IjkToRas:
    """Return a float64 copy of an affine (4, 4); SamanticError if it is not finite or cannot be inverted."""
    checked = np.array(matrix, dtype=np.float64)
    if checked.shape != (4, 4) or not np.isfinite(checked).all():
        raise SamanticError("The image's geometry is damaged: its matrix is not 4 x 4 finite numbers. Load it again.")
    lengths = np.linalg.norm(checked[:3, :3], axis=0)
    if (lengths == 0).any() or abs(np.linalg.det(checked[:3, :3] / lengths)) < 1e-6:
        raise SamanticError("The image's geometry is damaged: two of its axes point the same way. Load it again.")
    return checked


def ras_to_ijk(points_ras: np.ndarray, ijk_to_ras: IjkToRas) -> np.ndarray:
    """Return the fractional voxel indices (N, 3) of points (N, 3) in millimetres; SamanticError for a bad matrix."""
    return _transformed(points_ras, np.linalg.inv(checked_ijk_to_ras(ijk_to_ras)))


def ijk_to_ras_points(points_ijk: np.ndarray, ijk_to_ras: IjkToRas) -> np.ndarray:
    """Return the places (N, 3) in millimetres of fractional voxel indices (N, 3)."""
    return _transformed(points_ijk, checked_ijk_to_ras(ijk_to_ras))


def inside_image(points_ijk: np.ndarray, shape_ijk: Voxel) -> np.ndarray:
    """Return for each point (N, 3) whether it lies in a voxel of the image, its rim included, (N,) bool."""
    points = np.asarray(points_ijk, dtype=np.float64).reshape(-1, 3)
    upper = np.asarray(shape_ijk) - 0.5 + BORDER
    return np.isfinite(points).all(axis=1) & ((points >= -0.5 - BORDER) & (points <= upper)).all(axis=1)


def nearest_voxel(points_ijk: np.ndarray, shape_ijk: Voxel) -> np.ndarray:
    """Return the voxels (N, 3) int that points (N, 3) lie in; OutsideImage for the first one that lies in none."""
    points = np.asarray(points_ijk, dtype=np.float64).reshape(-1, 3)
    inside = inside_image(points, shape_ijk)
    if not inside.all():
        number = int(np.argmin(inside))
        where = ", ".join(f"{value:.1f}" for value in points[number])
        reach = ", ".join(f"{axis} 0 to {count - 1}" for axis, count in zip(AXES, shape_ijk))
        which = "The point" if len(points) == 1 else f"Point {number + 1}"
        raise OutsideImage(
            f"{which} lies outside the image, at voxel ({where}); the image has {reach}. Move it inside."
        )
    return np.clip(np.floor(points + 0.5).astype(np.int64), 0, np.asarray(shape_ijk) - 1)


def box_extent(corners_ijk: np.ndarray, shape_ijk: Voxel) -> Extent:
    """Return the extent of the voxels whose centres lie between corners (N, 3), cut to the image, one voxel at least.

    Raises OutsideImage where no part of the box is in the image.
    """
    corners = np.asarray(corners_ijk, dtype=np.float64).reshape(-1, 3)
    if len(corners) == 0 or not np.isfinite(corners).all():
        raise SamanticError("The box has no corners yet; draw it again.")
    low, high = corners.min(axis=0), corners.max(axis=0)
    first, end = np.ceil(low - BORDER).astype(np.int64), np.floor(high + BORDER).astype(np.int64) + 1
    # A box that is thinner than a voxel and has no centre in it means the voxel that it lies in.
    thin = end <= first
    middle = np.floor((low + high) / 2 + 0.5).astype(np.int64)
    first, end = np.where(thin, middle, first), np.where(thin, middle + 1, end)
    cut = clipped_extent(as_extent(first, end), shape_ijk)
    if cut is None:
        raise OutsideImage("The box lies outside the image; move it inside.")
    return cut


def as_extent(first: np.ndarray, end: np.ndarray) -> Extent:
    """Return the extent from the first voxel (3,) to the one past the end (3,)."""
    i, j, k = ((int(low), int(high)) for low, high in zip(first, end))
    return (*i, *j, *k)


def clipped_extent(extent: Extent, shape_ijk: Voxel) -> Extent | None:
    """Return the part of an extent that is in the image, None if there is none."""
    return common_extent(extent, (0, shape_ijk[0], 0, shape_ijk[1], 0, shape_ijk[2]))


def common_extent(one: Extent, other: Extent) -> Extent | None:
    """Return what two extents have in common, None if that is nothing."""
    first, end = np.maximum(one[::2], other[::2]), np.minimum(one[1::2], other[1::2])
    return as_extent(first, end) if (first < end).all() else None


def joined_extent(one: Extent, other: Extent) -> Extent:
    """Return the smallest extent around two others."""
    return as_extent(np.minimum(one[::2], other[::2]), np.maximum(one[1::2], other[1::2]))


def extent_shape(extent: Extent) -> Voxel:
    """Return the number of voxels along i, j and k; SamanticError where an end lies before its beginning."""
    i, j, k = (int(end) - int(first) for first, end in zip(extent[::2], extent[1::2]))
    if min(i, j, k) < 0:
        raise SamanticError(f"The extent {tuple(extent)} ends before it begins.")
    return i, j, k


def extent_slices(extent: Extent, within: Extent | None = None) -> tuple[slice, slice, slice]:
    """Return the slices of an extent in an array (i, j, k) that begins at voxel 0, or that covers `within`."""
    first = (0, 0, 0) if within is None else within[::2]
    i, j, k = (slice(extent[2 * axis] - first[axis], extent[2 * axis + 1] - first[axis]) for axis in range(3))
    return i, j, k


def extent_of_mask(mask: np.ndarray) -> Extent | None:
    """Return the smallest extent around what is drawn in a mask (i, j, k), None if it is empty."""
    if not mask.any():
        return None
    ends = []
    for axis in range(3):
        drawn = np.flatnonzero(mask.any(axis=tuple(other for other in range(3) if other != axis)))
        ends += [int(drawn[0]), int(drawn[-1]) + 1]
    return tuple(ends)  # type: ignore[return-value]


def shifted_extent(extent: Extent, first: Voxel) -> Extent:
    """Return an extent of a crop in the image that the crop was cut from at the voxel `first`."""
    return as_extent(np.add(extent[::2], first), np.add(extent[1::2], first))


def slice_axis(normal_ras: np.ndarray, ijk_to_ras: IjkToRas) -> int:
    """Return the voxel axis whose slices lie most nearly in a view with this normal (3,); ties go to the last axis.

    Slices across an axis are spanned by the two others, so with sheared axes their normal is not the axis itself.
    """
    normal = np.asarray(normal_ras, dtype=np.float64)
    if normal.shape != (3,) or not np.isfinite(normal).all() or not normal.any():
        raise SamanticError("The slice view has no direction; choose another view.")
    across = np.linalg.inv(checked_ijk_to_ras(ijk_to_ras)[:3, :3])
    cosines = np.abs(across @ normal) / np.linalg.norm(across, axis=1)
    return max((2, 1, 0), key=lambda axis: round(float(cosines[axis] / np.linalg.norm(normal)), 6))


def slice_of_view(slice_to_ras: np.ndarray, ijk_to_ras: IjkToRas, shape_ijk: Voxel) -> tuple[int, int]:
    """Return the voxel axis and the slice that a view shows at its middle; OutsideImage if it shows none.

    slice_to_ras: (4, 4), its third column the normal of the view and its fourth the view's middle, as Slicer's slice
    nodes have it.
    """
    view = np.asarray(slice_to_ras, dtype=np.float64)
    axis = slice_axis(view[:3, 2], ijk_to_ras)
    # The view's middle may lie beside the image, so the slice is read where the view cuts the line across its middle.
    matrix = checked_ijk_to_ras(ijk_to_ras)
    middle = ijk_to_ras_points(np.array([(np.asarray(shape_ijk) - 1) / 2]), matrix)[0]
    step = matrix[:3, axis]
    steps = float((view[:3, 3] - middle) @ view[:3, 2] / (step @ view[:3, 2]))
    position = (shape_ijk[axis] - 1) / 2 + steps
    if not -0.5 - BORDER <= position <= shape_ijk[axis] - 0.5 + BORDER:
        raise OutsideImage("The slice view shows no slice of the image; scroll it back into the image.")
    return axis, int(np.clip(np.floor(position + 0.5), 0, shape_ijk[axis] - 1))


def _transformed(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    points = np.asarray(points, dtype=np.float64).reshape(-1, 3)
    return points @ matrix[:3, :3].T + matrix[:3, 3]
