"""What was marked in a scene, as voxels of a volume: points, boxes, curves, and the slice that a view shows.

Marks and volume may each lie under transforms of their own, nested, sheared or warping, and the volume in any
orientation. A box is turned with its transforms; its extent is what it reaches along the axes of the volume.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from SamanticLib.errors import SamanticError
from SamanticLib.geometry import Extent, box_extent, nearest_voxel, ras_to_ijk, slice_of_view
from SamanticLib.nodes import (
    local_to_world,
    to_array,
    volume_ijk_to_ras,
    volume_ijk_to_world,
    volume_shape,
    world_to_local,
)
from SamanticLib.panel_strokes import lasso, scribble
from SamanticLib.prompts import LabelCrop


def world_to_ijk(points_world: np.ndarray, volume: Any) -> np.ndarray:
    """Return places (N, 3) of the world as fractional voxel indices (N, 3) of a volume."""
    return ras_to_ijk(world_to_local(points_world, volume), volume_ijk_to_ras(volume))


def point_voxels(points: Any, volume: Any) -> np.ndarray:
    """Return the voxels (N, 3) int of all points of a markups node that have been placed.

    Raises OutsideImage for the first one that lies outside the volume.
    """
    return nearest_voxel(world_to_ijk(_placed(points), volume), volume_shape(volume))


def box_voxels(roi: Any, volume: Any) -> Extent:
    """Return the half-open extent of the voxels whose centres a ROI node may hold, cut to the volume.

    Raises OutsideImage where it lies outside, SamanticError where it has not been drawn yet.
    """
    size = np.array(roi.GetSize(), dtype=np.float64)
    if not (size > 0).all():
        raise SamanticError(f"The box '{roi.GetName()}' has no size yet; draw it with two clicks.")
    object_to_node = to_array(roi.GetObjectToNodeMatrix())
    corners = np.array(list(itertools.product((-0.5, 0.5), repeat=3))) * size
    places = corners @ object_to_node[:3, :3].T + object_to_node[:3, 3]
    return box_extent(world_to_ijk(local_to_world(places, roi), volume), volume_shape(volume))


def curve_path(curve: Any, volume: Any, axis: int) -> np.ndarray:
    """Return what a curve runs through on one slice across `axis`, (N, 3) fractional voxels.

    Raises OutsideImage where a placed point of it is outside the volume, SamanticError for a curve of several slices.
    """
    inside = point_voxels(curve, volume)
    if len(inside) == 0:
        raise SamanticError(f"The curve '{curve.GetName()}' has no points yet; draw it.")
    if len(set(inside[:, axis].tolist())) > 1:
        raise SamanticError(
            f"The curve '{curve.GetName()}' runs through the slices {inside[:, axis].min()} to "
            f"{inside[:, axis].max()}; draw it on one."
        )
    points = curve.GetCurvePointsWorld()
    count = 0 if points is None else points.GetNumberOfPoints()
    places = np.array([points.GetPoint(number) for number in range(count)]) if count else _placed(curve)
    return world_to_ijk(places, volume)


def curve_scribble(curve: Any, volume: Any, axis: int, positive: bool = True) -> LabelCrop:
    """Return the voxels along a curve as a scribble, 3 for what belongs to the object and 2 for what does not."""
    return scribble(curve_path(curve, volume, axis), volume_shape(volume), axis, positive)


def curve_lasso(curve: Any, volume: Any, axis: int) -> LabelCrop:
    """Return the voxels inside a closed curve and on it as a scribble of what belongs to the object."""
    return lasso(curve_path(curve, volume, axis), volume_shape(volume), axis)


def slice_shown(slice_node: Any, volume: Any) -> tuple[int, int]:
    """Return the voxel axis and the slice of a volume that a slice view shows; OutsideImage where it shows none."""
    view = to_array(slice_node.GetSliceToRAS())
    return slice_of_view(view, volume_ijk_to_world(volume), volume_shape(volume))


def _placed(points: Any) -> np.ndarray:
    places = []
    for number in range(points.GetNumberOfControlPoints()):
        if points.GetNthControlPointPositionStatus(number) == points.PositionDefined:
            place = [0.0, 0.0, 0.0]
            points.GetNthControlPointPositionWorld(number, place)
            places.append(place)
    return np.array(places, dtype=np.float64).reshape(-1, 3)
