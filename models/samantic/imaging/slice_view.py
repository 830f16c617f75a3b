"""One slice as a radiologist sees it, upright under every flip and permutation of the voxel axes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from nibabel.orientations import io_orientation

from samantic.imaging.errors import ViewError
from samantic.imaging.volume import Volume, checked_affine, spacing_of

PLANES = ("sagittal", "coronal", "axial")  # by the RAS axis that points out of the picture
ROW_AXES = (2, 2, 1)  # rows run S->I, S->I, A->P
COLUMN_AXES = (1, 0, 0)  # columns run A->P, R->L, R->L


@dataclass(frozen=True, eq=False)
class SliceView:
    """The slice `index` along voxel axis `axis` (0 i, 1 j, 2 k) in the usual orientation of its anatomical plane.

    The plane follows the dominant RAS direction of the voxel axis. Axial: columns run from the patient's right to the
    left, rows from anterior to posterior; coronal: right to left, superior to inferior; sagittal: anterior to
    posterior, superior to inferior. For the axis k of a photograph x = i and y = j. View points are (x, y) pixels.
    Raises ViewError for an axis or index outside the volume. Source: ours.
    """

    volume_shape_ijk: tuple[int, int, int]
    affine: np.ndarray
    axis: int
    index: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "volume_shape_ijk", tuple(int(n) for n in self.volume_shape_ijk))
        object.__setattr__(self, "affine", checked_affine(self.affine))
        if self.axis not in (0, 1, 2):
            raise ViewError(f"axis {self.axis} does not exist; use 0 (i), 1 (j) or 2 (k)")
        count = self.volume_shape_ijk[self.axis]
        if not 0 <= self.index < count:
            raise ViewError(f"slice {self.index} lies outside the image; along axis {self.axis} use 0 to {count - 1}")

    @classmethod
    def of(cls, volume: Volume, axis: int, index: int) -> SliceView:
        """The view of a slice of `volume`."""
        return cls(volume.shape_ijk, volume.affine, axis, index)

    def at(self, index: int) -> SliceView:
        """The same view of another slice along the same axis."""
        return replace(self, index=index)

    @property
    def plane(self) -> str:
        """ "axial", "coronal" or "sagittal"."""
        return PLANES[self._layout.ras_axis]

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, cols) of the picture."""
        return self.volume_shape_ijk[self._layout.row_axis], self.volume_shape_ijk[self._layout.column_axis]

    @property
    def spacing_yx_mm(self) -> tuple[float, float]:
        """Millimetres between neighbouring rows and between neighbouring columns."""
        spacing = spacing_of(self.affine)
        return spacing[self._layout.row_axis], spacing[self._layout.column_axis]

    @property
    def key(self) -> str:
        """Text that names this view among those of one volume."""
        return f"axis{self.axis}-slice{self.index}"

    def extract(self, array_ijk: np.ndarray) -> np.ndarray:
        """Cuts the picture (rows, cols[, 3]) out of an (I, J, K[, 3]) array, as a copy; ViewError for another shape."""
        return self._picture(array_ijk).copy()

    def insert(self, array_ijk: np.ndarray, picture: np.ndarray) -> None:
        """Writes a picture (rows, cols[, 3]) into an (I, J, K[, 3]) array, in place; ViewError for other shapes."""
        target = self._picture(array_ijk)
        if picture.shape != target.shape:
            raise ViewError(f"the picture is {picture.shape}, the slice {target.shape}")
        target[...] = picture

    def to_view(self, points_ijk: np.ndarray) -> np.ndarray:
        """Voxel points (N, 3) -> view points (N, 2), as floats; the coordinate along `axis` is dropped."""
        points = np.asarray(points_ijk, dtype=np.float64).reshape(-1, 3)
        layout = self._layout
        x, y = points[:, layout.column_axis], points[:, layout.row_axis]
        rows, cols = self.shape
        return np.stack([cols - 1 - x if layout.flip_columns else x, rows - 1 - y if layout.flip_rows else y], axis=1)

    def to_ijk(self, points_xy: np.ndarray) -> np.ndarray:
        """View points (N, 2) -> the nearest voxels (N, 3), as integers, on this slice."""
        points = np.asarray(points_xy, dtype=np.float64).reshape(-1, 2)
        layout = self._layout
        rows, cols = self.shape
        x, y = np.floor(points + 0.5).astype(np.int64).T
        voxels = np.full((len(points), 3), self.index, dtype=np.int64)
        voxels[:, layout.column_axis] = cols - 1 - x if layout.flip_columns else x
        voxels[:, layout.row_axis] = rows - 1 - y if layout.flip_rows else y
        return voxels

    def box_to_view(self, lower_ijk: tuple[int, ...], upper_ijk: tuple[int, ...]) -> tuple[int, int, int, int]:
        """Half-open voxel bounds -> half-open view bounds (x0, y0, x1, y1)."""
        # The last voxel inside, not the bound itself, is what a flip mirrors.
        corners = self.to_view(np.array([lower_ijk, np.asarray(upper_ijk) - 1]))
        (x0, y0), (x1, y1) = np.sort(corners, axis=0).astype(int).tolist()
        return x0, y0, x1 + 1, y1 + 1

    def box_to_ijk(self, box_xyxy: tuple[int, int, int, int]) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
        """Half-open view bounds (x0, y0, x1, y1) -> half-open voxel bounds (lower, upper), one slice thick."""
        x0, y0, x1, y1 = box_xyxy
        lower, upper = np.sort(self.to_ijk(np.array([(x0, y0), (x1 - 1, y1 - 1)])), axis=0)
        i, j, k = lower.tolist()
        u, v, w = (upper + 1).tolist()
        return (i, j, k), (u, v, w)

    @cached_property
    def _layout(self) -> _Layout:
        return _layout(self.affine, self.axis)

    def _picture(self, array_ijk: np.ndarray) -> np.ndarray:
        if array_ijk.ndim not in (3, 4) or array_ijk.shape[:3] != self.volume_shape_ijk:
            raise ViewError(f"the array is {array_ijk.shape}, the volume of this view {self.volume_shape_ijk}")
        layout = self._layout
        picture = np.moveaxis(array_ijk, (self.axis, layout.row_axis, layout.column_axis), (0, 1, 2))[self.index]
        return picture[:: -1 if layout.flip_rows else 1, :: -1 if layout.flip_columns else 1]


@dataclass(frozen=True)
class _Layout:
    ras_axis: int
    row_axis: int
    column_axis: int
    flip_rows: bool
    flip_columns: bool


def _layout(affine: np.ndarray, axis: int) -> _Layout:
    # Columns of the orientation: the RAS axis nearest to each voxel axis (one each, also when oblique), and its sign.
    orientation = io_orientation(affine)
    ras_axes = orientation[:, 0].astype(int).tolist()
    signs = orientation[:, 1].tolist()
    ras_axis = ras_axes[axis]
    row_axis, column_axis = ras_axes.index(ROW_AXES[ras_axis]), ras_axes.index(COLUMN_AXES[ras_axis])
    # Rows and columns of all three planes run against R, A and S.
    return _Layout(ras_axis, row_axis, column_axis, signs[row_axis] > 0, signs[column_axis] > 0)
