"""What is drawn over the slices beside segments: the prompts, the stroke in the making, the map of uncertainty."""

from __future__ import annotations

from typing import Any

import numpy as np
import vtk
from vtk.util.numpy_support import numpy_to_vtk

from SamanticLib.geometry import Extent, ijk_to_ras_points
from SamanticLib.nodes import to_vtk_matrix, volume_ijk_to_ras
from SamanticLib.prompts import Prompts

POSITIVE, NEGATIVE, BOX = (0.10, 0.70, 0.40), (0.88, 0.25, 0.22), (0.20, 0.50, 0.95)
_CLOSED = "vtkMRMLMarkupsClosedCurveNode"
STROKE_POINTS = 200
OPACITY = 0.6
FAINTEST = 0.04  # of the largest value; what is surer than that is not coloured


class Marks:
    """Points as locked fiducials, boxes and strokes as curves; none of it is saved with the scene."""

    def __init__(self, scene: Any) -> None:
        self._scene = scene
        self._nodes: list[Any] = []
        self._stroke: Any = None

    def show(self, prompts: Prompts, volume: Any) -> None:
        """Draw these prompts, given in voxels of a volume, and no others."""
        for node in self._nodes:
            self._scene.RemoveNode(node)
        self._nodes = []
        if volume is None:
            return
        for points, color in ((prompts.positive_ijk, POSITIVE), (prompts.negative_ijk, NEGATIVE)):
            if points:
                places = ijk_to_ras_points(np.array(points, float), volume_ijk_to_ras(volume))
                self._nodes.append(self._new_node("vtkMRMLMarkupsFiducialNode", color, places, volume))
        for box in prompts.boxes_ijk:
            places = ijk_to_ras_points(_corners(box), volume_ijk_to_ras(volume))
            self._nodes.append(self._new_node(_CLOSED, BOX, places, volume))

    def show_stroke(self, points_world: np.ndarray, closed: bool) -> None:
        """Draw a stroke (N, 3) in the making; nothing for fewer than two points."""
        if self._stroke is not None and (len(points_world) < 2 or self._stroke.IsA(_CLOSED) != closed):
            self._scene.RemoveNode(self._stroke)
            self._stroke = None
        if len(points_world) < 2:
            return
        thinned = points_world[:: 1 + len(points_world) // STROKE_POINTS]
        if self._stroke is None or self._stroke.GetScene() is None:
            kind = _CLOSED if closed else "vtkMRMLMarkupsCurveNode"
            self._stroke = self._new_node(kind, BOX, thinned, None)
        self._stroke.SetControlPointPositionsWorld(_vtk_points(thinned))

    def _new_node(self, kind: str, color: tuple[float, float, float], places: np.ndarray, volume: Any) -> Any:
        node = self._scene.AddNewNodeByClass(kind, "Samantic")
        node.SetSaveWithScene(False)
        node.SetHideFromEditors(True)
        node.SetLocked(True)
        node.CreateDefaultDisplayNodes()
        display = node.GetDisplayNode()
        display.SetColor(*color)
        display.SetSelectedColor(*color)
        display.SetPropertiesLabelVisibility(False)
        display.SetPointLabelsVisibility(False)
        for place in places:
            node.AddControlPoint(vtk.vtkVector3d(*place.tolist()))
        if not kind.endswith("FiducialNode"):
            node.SetCurveTypeToLinear()
            display.SetGlyphScale(0.01)
        if volume is not None:
            node.SetAndObserveTransformNodeID(volume.GetTransformNodeID())
        return node


class UnsureMap:
    """A volume in the foreground of the slice views, warm where the model is unsure."""

    def __init__(self, scene: Any) -> None:
        self._scene = scene
        self._node: Any = None

    def show(self, values: np.ndarray | None, extent: Extent | None, largest: float, volume: Any) -> None:
        """Show values (i, j, k) from 0 to `largest` over an extent of a volume, or nothing."""
        if self._node is not None:
            self._set_foreground(None)
            self._scene.RemoveNode(self._node)
            self._node = None
        if values is None or extent is None or volume is None:
            return
        node = self._scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Samantic uncertainty")
        node.SetSaveWithScene(False)
        matrix = volume_ijk_to_ras(volume)
        matrix[:3, 3] = (matrix @ np.array([*extent[::2], 1.0]))[:3]
        node.SetIJKToRASMatrix(to_vtk_matrix(matrix))
        node.SetAndObserveImageData(_image(values))
        node.SetAndObserveTransformNodeID(volume.GetTransformNodeID())
        node.CreateDefaultDisplayNodes()
        display = node.GetDisplayNode()
        display.SetAndObserveColorNodeID("vtkMRMLColorTableNodeInferno")
        display.SetAutoWindowLevel(False)
        display.SetWindowLevelMinMax(0.0, largest)
        display.SetThreshold(FAINTEST * largest, largest)
        display.SetApplyThreshold(True)
        self._node = node
        self._set_foreground(node.GetID())

    def _set_foreground(self, node_id: str | None) -> None:
        for number in range(self._scene.GetNumberOfNodesByClass("vtkMRMLSliceCompositeNode")):
            composite = self._scene.GetNthNodeByClass(number, "vtkMRMLSliceCompositeNode")
            composite.SetForegroundVolumeID(node_id)
            composite.SetForegroundOpacity(OPACITY if node_id else 0.0)


def _corners(box: Extent) -> np.ndarray:
    """The four corners (4, 3) of a box's outline on its slice, in fractional voxels."""
    across = min(range(3), key=lambda axis: box[2 * axis + 1] - box[2 * axis])
    first, second = (axis for axis in range(3) if axis != across)
    corners = np.zeros((4, 3))
    corners[:, across] = box[2 * across]
    corners[:, first] = [box[2 * first + end] - 0.5 for end in (0, 1, 1, 0)]
    corners[:, second] = [box[2 * second + end] - 0.5 for end in (0, 0, 1, 1)]
    return corners


def _vtk_points(places: np.ndarray) -> Any:
    points = vtk.vtkPoints()
    for place in places.tolist():
        points.InsertNextPoint(*place)
    return points


def _image(values: np.ndarray) -> Any:
    image = vtk.vtkImageData()
    image.SetDimensions(*values.shape)
    image.GetPointData().SetScalars(numpy_to_vtk(np.ascontiguousarray(values.T, np.float32).ravel(), deep=True))
    return image
