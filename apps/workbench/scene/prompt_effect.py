"""Marks in a slice view as an effect beside trame-slicer's: a click, a box, a scribble, a lasso."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from slicer import vtkMRMLInteractionEventData, vtkMRMLSliceNode
from trame_slicer.segmentation import SegmentationEffect, SegmentationEffectPipeline
from undo_stack import Signal
from vtkmodules.vtkCommonCore import vtkCommand, vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
from vtkmodules.vtkRenderingCore import vtkActor2D, vtkPolyDataMapper2D, vtkRenderer

CONTROL = 2
"""vtkEvent's modifier of the key Ctrl; 4 is Alt."""

SMALLEST_BOX_PIXELS = 4


class MarkKind(Enum):
    """What is drawn with the left button."""

    POINT = "point"
    BOX = "box"
    SCRIBBLE = "scribble"
    LASSO = "lasso"


@dataclass(frozen=True, eq=False)
class Stroke:
    """A mark as it was drawn: RAS points (N, 3), the view's axes (4, 4), and whether Ctrl turned its meaning round."""

    kind: MarkKind
    points_ras: np.ndarray
    slice_to_ras: np.ndarray
    is_turned: bool


class PromptEffect(SegmentationEffect):
    """Tells what is drawn in slice views; `kind` says what the left button draws."""

    drawn = Signal(Stroke)

    def __init__(self) -> None:
        super().__init__()
        self.kind = MarkKind.POINT

    def _create_pipeline(self, view_node: Any, _parameter: Any) -> SegmentationEffectPipeline | None:
        return PromptPipeline() if isinstance(view_node, vtkMRMLSliceNode) else None


class PromptPipeline(SegmentationEffectPipeline):
    """One slice view's share: follows the left button and draws the stroke while it is down."""

    def __init__(self) -> None:
        super().__init__()
        self._line = _Line()
        self._points_ras: list[tuple[float, ...]] = []
        self._corner: tuple[int, int] | None = None
        self._is_turned = False
        self._callbacks = {
            int(vtkCommand.LeftButtonPressEvent): self._pressed,
            int(vtkCommand.MouseMoveEvent): self._moved,
            int(vtkCommand.LeftButtonReleaseEvent): self._released,
        }

    def IsActive(self) -> bool:  # noqa: N802
        # The first mark is made before there is a segment to modify.
        return bool(self._isActive)

    def OnRendererAdded(self, renderer: vtkRenderer | None) -> None:  # noqa: N802
        if renderer is not None:
            renderer.AddViewProp(self._line.actor)

    def OnRendererRemoved(self, renderer: vtkRenderer | None) -> None:  # noqa: N802
        if renderer is not None:
            renderer.RemoveViewProp(self._line.actor)

    def CanProcessInteractionEvent(self, event: vtkMRMLInteractionEventData) -> tuple[bool, float]:  # noqa: N802
        kind = event.GetType()
        if not self.IsActive() or kind not in self._callbacks:
            return False, 0.0
        return kind == int(vtkCommand.LeftButtonPressEvent) or bool(self._points_ras), 0.0

    def ProcessInteractionEvent(self, event: vtkMRMLInteractionEventData) -> bool:  # noqa: N802
        callback = self._callbacks.get(event.GetType())
        return callback(event) if callback is not None else False

    def LoseFocus(self, event: vtkMRMLInteractionEventData | None) -> None:  # noqa: N802
        super().LoseFocus(event)
        self._forget()

    def _pressed(self, event: vtkMRMLInteractionEventData) -> bool:
        self._is_turned = bool(event.GetModifiers() & CONTROL)
        self._points_ras = [tuple(event.GetWorldPosition())]
        self._corner = tuple(event.GetDisplayPosition())
        self._line.begin(self._corner, is_positive=not self._is_turned)
        return True

    def _moved(self, event: vtkMRMLInteractionEventData) -> bool:
        here = tuple(event.GetDisplayPosition())
        kind = self._effect.kind
        if kind is MarkKind.BOX and self._corner is not None:
            (x0, y0), (x1, y1) = self._corner, here
            self._line.set([(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)])
            self._points_ras = [self._points_ras[0], tuple(event.GetWorldPosition())]
        elif kind in (MarkKind.SCRIBBLE, MarkKind.LASSO):
            self._points_ras.append(tuple(event.GetWorldPosition()))
            self._line.add(here)
        self.RequestRender()
        return True

    def _released(self, event: vtkMRMLInteractionEventData) -> bool:
        kind, points, turned = self._effect.kind, self._points_ras, self._is_turned
        corner, here = self._corner, event.GetDisplayPosition()
        self._forget()
        if kind is MarkKind.BOX:
            if corner is None or min(abs(corner[0] - here[0]), abs(corner[1] - here[1])) < SMALLEST_BOX_PIXELS:
                return True
            points = [points[0], tuple(event.GetWorldPosition())]
        matrix = self.GetViewNode().GetSliceToRAS()
        slice_to_ras = np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])
        self._effect.drawn.emit(Stroke(kind, np.array(points, float), slice_to_ras, turned))
        return True

    def _forget(self) -> None:
        self._points_ras, self._corner = [], None
        self._line.hide()
        self.RequestRender()


class _Line:
    """A line on the screen, as long as the button is down."""

    def __init__(self) -> None:
        self._data = vtkPolyData()
        mapper = vtkPolyDataMapper2D()
        mapper.SetInputData(self._data)
        self.actor = vtkActor2D()
        self.actor.SetMapper(mapper)
        self.actor.GetProperty().SetLineWidth(2.5)
        self.actor.SetVisibility(False)
        self._places: list[tuple[int, int]] = []

    def begin(self, place: tuple[int, int], is_positive: bool) -> None:
        self.actor.GetProperty().SetColor(*((0.27, 0.9, 0.8) if is_positive else (0.95, 0.45, 0.4)))
        self.set([place])
        self.actor.SetVisibility(True)

    def add(self, place: tuple[int, int]) -> None:
        self.set([*self._places, place])

    def set(self, places: list[tuple[int, int]]) -> None:
        self._places = places
        points, lines = vtkPoints(), vtkCellArray()
        lines.InsertNextCell(len(places))
        for x, y in places:
            lines.InsertCellPoint(points.InsertNextPoint(x, y, 0))
        self._data.SetPoints(points)
        self._data.SetLines(lines)
        self._data.Modified()

    def hide(self) -> None:
        self.actor.SetVisibility(False)
        self._places = []
