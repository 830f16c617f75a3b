"""Matrices, grids and transforms of the nodes of a scene, as arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import vtk

from SamanticLib.errors import SamanticError
from SamanticLib.geometry import IjkToRas, Voxel, checked_ijk_to_ras


def to_array(matrix: Any) -> np.ndarray:
    """Return a vtkMatrix4x4 as (4, 4) float64."""
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])


def to_vtk_matrix(matrix: np.ndarray) -> Any:
    """Return an array (4, 4) as vtkMatrix4x4."""
    converted = vtk.vtkMatrix4x4()
    converted.DeepCopy([float(value) for value in np.asarray(matrix, dtype=np.float64).ravel()])
    return converted


def volume_shape(volume: Any) -> Voxel:
    """Return the number of voxels (i, j, k) of a volume node; SamanticError where it has none."""
    image = None if volume is None else volume.GetImageData()
    if image is None or 0 in image.GetDimensions():
        raise SamanticError("There is no image in the volume; load or choose one.")
    i, j, k = image.GetDimensions()
    return i, j, k


def volume_ijk_to_ras(volume: Any) -> IjkToRas:
    """Return voxel index -> millimetres of a volume node, before the transform that it is under."""
    volume_shape(volume)
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    return checked_ijk_to_ras(to_array(matrix))


def volume_ijk_to_world(volume: Any) -> IjkToRas:
    """Return voxel index -> world millimetres, all transforms included; where they warp, as in the image's middle."""
    matrix = volume_ijk_to_ras(volume)
    middle = (np.asarray(volume_shape(volume)) - 1) / 2
    corners = np.vstack([middle, middle + np.eye(3)])
    places = local_to_world(corners @ matrix[:3, :3].T + matrix[:3, 3], volume)
    found = np.eye(4)
    found[:3, :3] = (places[1:] - places[0]).T
    found[:3, 3] = places[0] - found[:3, :3] @ middle
    return checked_ijk_to_ras(found)


def world_to_local(points: np.ndarray, node: Any) -> np.ndarray:
    """Return points (N, 3) of the world in the coordinates of a node under any transforms, linear or not."""
    return _between(points, None, node.GetParentTransformNode())


def local_to_world(points: np.ndarray, node: Any) -> np.ndarray:
    """Return points (N, 3) in a node's own coordinates as points of the world."""
    return _between(points, node.GetParentTransformNode(), None)


def ijk_to_local(volume: Any, node: Any) -> IjkToRas:
    """Return voxel index of a volume -> the own coordinates of another node, (4, 4).

    Raises SamanticError where a warping transform lies between the two.
    """
    source, target = volume.GetParentTransformNode(), node.GetParentTransformNode()
    matrix = volume_ijk_to_ras(volume)
    if source is target:
        return matrix
    between = vtk.vtkMatrix4x4()
    if not slicer.vtkMRMLTransformNode.GetMatrixTransformBetweenNodes(source, target, between):
        raise SamanticError(
            f"Between '{volume.GetName()}' and '{node.GetName()}' lies a transform that warps; put both under the same "
            "one."
        )
    return checked_ijk_to_ras(to_array(between) @ matrix)


def _between(points: np.ndarray, source: Any, target: Any) -> np.ndarray:
    points = np.asarray(points, dtype=np.float64).reshape(-1, 3)
    if source is target:
        return points.copy()
    transform = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(source, target, transform)
    return np.array([transform.TransformPoint(*point) for point in points.tolist()]).reshape(-1, 3)
