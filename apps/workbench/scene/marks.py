"""The prompts of the object, drawn over the slices."""

from __future__ import annotations

from typing import Any

import numpy as np
from SamanticLib.geometry import Extent, ijk_to_ras_points
from SamanticLib.prompts import Prompts
from SamanticLib.session_ports import SceneImage

POSITIVE, NEGATIVE, BOX = (0.30, 0.95, 0.80), (0.98, 0.42, 0.36), (0.95, 0.85, 0.45)


class Marks:
    """Points as locked fiducials and boxes as closed curves. Source: ours."""

    def __init__(self, scene: Any) -> None:
        self._scene = scene
        self._points: dict[bool, Any] = {}
        self._boxes: list[Any] = []

    def show(self, prompts: Prompts, image: SceneImage | None) -> None:
        """Draw these prompts and no others."""
        for positive, points in ((True, prompts.positive_ijk), (False, prompts.negative_ijk)):
            self._show_points(positive, points, image)
        for node in self._boxes:
            self._scene.RemoveNode(node)
        self._boxes = [self._new_box(box, image) for box in prompts.boxes_ijk] if image is not None else []

    def _show_points(self, positive: bool, points: tuple[Any, ...], image: SceneImage | None) -> None:
        node = self._points.get(positive)
        if node is None or node.GetScene() is None:
            node = self._new_node("vtkMRMLMarkupsFiducialNode", POSITIVE if positive else NEGATIVE)
            self._points[positive] = node
        node.RemoveAllControlPoints()
        if points and image is not None:
            for place in ijk_to_ras_points(np.array(points, float), image.ijk_to_ras):
                node.AddControlPoint(*place)
            for number in range(node.GetNumberOfControlPoints()):
                node.SetNthControlPointLabel(number, "")

    def _new_box(self, box: Extent, image: SceneImage) -> Any:
        axis = min(range(3), key=lambda one: box[2 * one + 1] - box[2 * one])
        u, v = (other for other in range(3) if other != axis)
        node = self._new_node("vtkMRMLMarkupsClosedCurveNode", BOX)
        node.SetCurveTypeToLinear()
        node.GetDisplayNode().SetGlyphScale(0.01)
        corners = []
        for at_u, at_v in ((0, 0), (1, 0), (1, 1), (0, 1)):
            corner = [0.0, 0.0, 0.0]
            corner[axis] = box[2 * axis]
            corner[u], corner[v] = box[2 * u + at_u] - 0.5, box[2 * v + at_v] - 0.5
            corners.append(corner)
        for place in ijk_to_ras_points(np.array(corners), image.ijk_to_ras):
            node.AddControlPoint(*place)
        return node

    def _new_node(self, kind: str, colour: tuple[float, float, float]) -> Any:
        node = self._scene.AddNewNodeByClass(kind)
        node.SetLocked(True)
        node.SetSaveWithScene(False)
        node.CreateDefaultDisplayNodes()
        display = node.GetDisplayNode()
        display.SetColor(*colour)
        display.SetSelectedColor(*colour)
        display.SetPropertiesLabelVisibility(False)
        display.SetPointLabelsVisibility(False)
        display.SetUseGlyphScale(True)
        display.SetGlyphScale(1.6)
        display.SetGlyphTypeFromString("Sphere3D" if kind.endswith("FiducialNode") else "Vertex2D")
        return node
