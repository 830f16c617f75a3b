"""Marks made with the mouse in slice views: points, boxes, scribbles, lassos, handed to the session in voxels."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

import numpy as np

from SamanticLib.errors import SamanticError
from SamanticLib.geometry import OutsideImage, box_extent, extent_shape, nearest_voxel, slice_axis
from SamanticLib.nodes import to_array
from SamanticLib.panel_strokes import lasso, scribble
from SamanticLib.session import AnnotationSession
from SamanticLib.session_ports import SceneImage

PRESS, MOVE, RELEASE = "LeftButtonPressEvent", "MouseMoveEvent", "LeftButtonReleaseEvent"
EVENTS = (PRESS, MOVE, RELEASE)
BEFORE_SLICER = 10.0
"""Priority of our observers: above those of Slicer's own slice views, which drag the crosshair and the window."""

POINTS_KEPT = 4000
"""Of one stroke; who draws longer gets a shorter one, never a frozen window."""


class MarkedScene(Protocol):
    """What a stroke needs of the scene; `scene_adapter.DesktopScene` has it."""

    image: SceneImage | None

    def voxels(self, points_world: np.ndarray) -> np.ndarray: ...

    def ijk_to_world(self) -> np.ndarray: ...

    def show_stroke(self, points_world: np.ndarray, closed: bool) -> None: ...


class Strokes:
    """From the mouse to marks, one stroke at a time. `say(error)` tells the person what was wrong with one."""

    def __init__(self, session: AnnotationSession, scene: MarkedScene, say: Callable[[Exception], None]) -> None:
        self._session = session
        self._scene = scene
        self._say = say
        self._points: list[np.ndarray] = []
        self._axis = 2
        self.tool: str | None = None

    def handle(self, event: str, xy: tuple[int, int], slice_node: Any) -> bool:
        """Take an event at a pixel of a slice view; return whether it was used, and so is not Slicer's any more."""
        if self.tool is None or self._scene.image is None:
            return False
        if event == MOVE and not self._points:
            return False
        try:
            if event == PRESS:
                self._begin(xy, slice_node)
            elif event == MOVE:
                self._go_on(xy, slice_node)
            elif self._points:
                self._go_on(xy, slice_node)
                self._end()
        except SamanticError as error:
            self.drop()
            self._say(error)
        return True

    def drop(self) -> None:
        """Forget the stroke that was begun."""
        self._points = []
        self._scene.show_stroke(np.zeros((0, 3)), False)

    def _begin(self, xy: tuple[int, int], slice_node: Any) -> None:
        image = self._scene.image
        assert image is not None
        normal = to_array(slice_node.GetSliceToRAS())[:3, 2]
        self._axis = 2 if image.is_flat else slice_axis(normal, self._scene.ijk_to_world())
        self._points = [_world(xy, slice_node)]
        nearest_voxel(self._voxels()[:1], image.shape_ijk)  # a stroke begins in the image, or is none

    def _go_on(self, xy: tuple[int, int], slice_node: Any) -> None:
        point = _world(xy, slice_node)
        if self.tool == "box":
            self._points = [self._points[0], point]
            self._scene.show_stroke(_corners(self._points[0], point, slice_node), True)
        elif self.tool is not None and not self.tool.startswith("point") and len(self._points) < POINTS_KEPT:
            self._points.append(point)
            self._scene.show_stroke(np.array(self._points), self.tool == "lasso")

    def _end(self) -> None:
        image, tool, axis, path = self._scene.image, self.tool, self._axis, self._voxels()
        self.drop()
        assert image is not None
        if tool in ("point_positive", "point_negative"):
            i, j, k = nearest_voxel(path[:1], image.shape_ijk)[0].tolist()
            self._session.add_point((i, j, k), tool == "point_positive", axis)
        elif tool == "box":
            path[:, axis] = nearest_voxel(path[:1], image.shape_ijk)[0][axis]
            extent = box_extent(path[[0, -1]], image.shape_ijk)
            if sorted(extent_shape(extent))[1] < 2:
                raise OutsideImage("The box holds next to nothing; drag it from one corner to the other.")
            self._session.add_box(extent, axis)
        elif tool == "lasso":
            self._session.add_scribble(lasso(path, image.shape_ijk, axis), axis)
        else:
            self._session.add_scribble(scribble(path, image.shape_ijk, axis, tool == "scribble_positive"), axis)

    def _voxels(self) -> np.ndarray:
        return self._scene.voxels(np.array(self._points))


class SliceTools:
    """The tool in the hand, in all slice views that there are when it is taken up.

    views: gives (interactor, slice node) of each view.
    """

    def __init__(self, strokes: Strokes, views: Callable[[], Iterable[tuple[Any, Any]]]) -> None:
        self._strokes = strokes
        self._views = views
        self._observers: list[tuple[Any, int]] = []

    def pick(self, tool: str | None) -> None:
        """Take up a tool, or put it down."""
        for interactor, number in self._observers:
            interactor.RemoveObserver(number)
        self._observers = []
        self._strokes.drop()
        self._strokes.tool = tool
        if tool is None:
            return
        for interactor, slice_node in self._views():
            for event in EVENTS:
                self._observe(interactor, slice_node, event)

    def _observe(self, interactor: Any, slice_node: Any, event: str) -> None:
        def happened(*_: Any) -> None:
            if self._strokes.handle(event, interactor.GetEventPosition(), slice_node):
                # Slicer's own observers come later, and do not get it any more.
                interactor.GetCommand(number).SetAbortFlag(1)

        number = interactor.AddObserver(event, happened, BEFORE_SLICER)
        self._observers.append((interactor, number))


def _world(xy: tuple[int, int], slice_node: Any) -> np.ndarray:
    place = to_array(slice_node.GetXYToRAS()) @ np.array([xy[0], xy[1], 0.0, 1.0])
    return place[:3]


def _corners(one: np.ndarray, other: np.ndarray, slice_node: Any) -> np.ndarray:
    """The four corners of a box along the sides of the view."""
    right = to_array(slice_node.GetSliceToRAS())[:3, 0]
    along = ((other - one) @ right) * right
    return np.array([one, one + along, other, other - along])
