"""Marks made with the mouse: real events of VTK's interactor in a slice node's view become voxels in a session."""

from __future__ import annotations

import numpy as np
import pytest
import vtk
from SamanticLib.errors import SamanticError
from SamanticLib.nodes import to_vtk_matrix
from SamanticLib.panel_strokes import lasso, scribble
from SamanticLib.panel_tools import SliceTools, Strokes
from SamanticLib.prompts import BACKGROUND_SCRIBBLE, FOREGROUND_SCRIBBLE
from SamanticLib.scene_adapter import DesktopScene
from tests.slicer_extension.desktop_samples import FakeSession
from tests.slicer_extension.scenes import GRIDS, OBLIQUE, SHAPE, Scene, grid

BIG = (40, 50, 6)


class Desktop:
    """An image, one slice view that looks along a voxel axis, and a mouse."""

    def __init__(self, ijk_to_ras: np.ndarray, axis: int, index: int, moved: bool = False) -> None:
        self.here = Scene()
        self.volume = self.here.volume(ijk_to_ras, BIG)
        if moved:
            turned = self.here.transform(np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]))
            self.volume.SetAndObserveTransformNodeID(turned.GetID())
        self.scene = DesktopScene(self.here.scene, lambda _: self.volume, lambda _: None)
        self.scene.load_image(None, "ct")  # type: ignore[arg-type]
        self.session = FakeSession()
        self.errors: list[Exception] = []
        self.slice_node = self.here.scene.AddNewNodeByClass("vtkMRMLSliceNode")
        self._look_along(axis, index)
        self.interactor = vtk.vtkGenericRenderWindowInteractor()
        self.slicer_saw: list[str] = []
        for event in ("LeftButtonPressEvent", "MouseMoveEvent", "LeftButtonReleaseEvent"):
            self.interactor.AddObserver(event, lambda _, name: self.slicer_saw.append(name), 1.0)
        strokes = Strokes(self.session, self.scene, self.errors.append)
        self.tools = SliceTools(strokes, lambda: [(self.interactor, self.slice_node)])

    def drag(self, *voxels: tuple[float, float, float]) -> None:
        """Press at the first voxel, move over the others, and let go at the last."""
        self._event("LeftButtonPressEvent", voxels[0])
        for voxel in voxels[1:]:
            self._event("MouseMoveEvent", voxel)
        self._event("LeftButtonReleaseEvent", voxels[-1])

    def _event(self, name: str, voxel: tuple[float, float, float]) -> None:
        matrix = vtk.vtkMatrix4x4()
        vtk.vtkMatrix4x4.Invert(self.slice_node.GetXYToRAS(), matrix)
        place = self.scene.ijk_to_world() @ np.array([*voxel, 1.0])
        x, y, _, _ = matrix.MultiplyPoint(place)
        self.interactor.SetEventPosition(round(x), round(y))
        self.interactor.InvokeEvent(name)

    def _look_along(self, axis: int, index: int) -> None:
        world = self.scene.ijk_to_world()
        first, second = (other for other in range(3) if other != axis)
        right = world[:3, first] / np.linalg.norm(world[:3, first])
        up = world[:3, second] - (world[:3, second] @ right) * right
        up /= np.linalg.norm(up)
        middle = [(count - 1) / 2 for count in BIG]
        middle[axis] = index
        matrix = np.eye(4)
        matrix[:3, 0], matrix[:3, 1], matrix[:3, 2] = right, up, np.cross(right, up)
        matrix[:3, 3] = (world @ [*middle, 1.0])[:3]
        self.slice_node.GetSliceToRAS().DeepCopy(to_vtk_matrix(matrix))
        # A tenth of a millimetre a pixel and better: a click is in the middle of what it is meant for.
        self.slice_node.SetDimensions(4000, 4000, 1)
        self.slice_node.SetFieldOfView(400.0, 400.0, 1.0)
        self.slice_node.UpdateMatrices()


@pytest.fixture
def desktop() -> Desktop:
    return Desktop(GRIDS[0], axis=2, index=3)


@pytest.mark.parametrize("number", [0, 5, 19, 30, 47])
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("moved", [False, True])
def test_a_click_is_the_voxel_under_it_in_any_view_and_orientation(number: int, axis: int, moved: bool) -> None:
    voxel = (13, 21, 4)
    desktop = Desktop(GRIDS[number], axis, voxel[axis], moved)
    desktop.tools.pick("point_positive")
    desktop.drag(voxel)
    assert desktop.session.calls == [("add_point", voxel, True, axis)]


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_click_is_the_voxel_under_it_in_an_oblique_image(axis: int) -> None:
    voxel = (13, 21, 4)
    desktop = Desktop(grid(OBLIQUE), axis, voxel[axis])
    desktop.tools.pick("point_negative")
    desktop.drag(voxel)
    assert desktop.session.calls == [("add_point", voxel, False, axis)]


def test_a_box_is_one_voxel_thick_and_holds_the_voxels_whose_middles_are_in_it(desktop: Desktop) -> None:
    desktop.tools.pick("box")
    desktop.drag((9.7, 11.6, 3), (15, 15, 3), (20.4, 30.3, 3))
    assert desktop.session.calls == [("add_box", (10, 21, 12, 31, 3, 4), 2)]


def test_a_box_may_reach_over_the_rim_and_be_dragged_from_any_corner(desktop: Desktop) -> None:
    desktop.tools.pick("box")
    desktop.drag((20.4, 30.3, 3), (-5, -8, 3))
    assert desktop.session.calls == [("add_box", (0, 21, 0, 31, 3, 4), 2)]


def test_a_box_of_one_click_is_asked_for_again(desktop: Desktop) -> None:
    desktop.tools.pick("box")
    desktop.drag((20, 30, 3))
    assert desktop.session.calls == [] and "box" in str(desktop.errors[0])


@pytest.mark.parametrize(("tool", "value"), [("scribble_positive", 3), ("scribble_negative", 2)])
def test_a_scribble_follows_the_mouse(desktop: Desktop, tool: str, value: int) -> None:
    desktop.tools.pick(tool)
    desktop.drag((10, 10, 3), (20, 10, 3), (20, 20, 3))
    (name, crop, axis) = desktop.session.calls[0]
    assert (name, axis) == ("add_scribble", 2)
    assert crop.extent_ijk == (9, 22, 9, 22, 3, 4)
    drawn = crop.values[:, :, 0]
    assert set(np.unique(drawn)) == {0, value}
    assert drawn[5 + 1, 1] == value and drawn[11, 6] == value and drawn[3, 8] == 0


def test_a_lasso_is_the_area_inside(desktop: Desktop) -> None:
    desktop.tools.pick("lasso")
    desktop.drag((10, 10, 3), (20, 10, 3), (20, 25, 3), (10, 25, 3))
    (name, crop, axis) = desktop.session.calls[0]
    assert (name, axis, crop.extent_ijk) == ("add_scribble", 2, (10, 21, 10, 26, 3, 4))
    assert (crop.values == FOREGROUND_SCRIBBLE).all()


def test_a_click_beside_the_image_is_said_and_marks_nothing(desktop: Desktop) -> None:
    desktop.tools.pick("point_positive")
    desktop.drag((-20, 10, 3))
    assert desktop.session.calls == [] and "outside the image" in str(desktop.errors[0])


def test_slicer_does_not_get_the_mouse_while_a_tool_is_in_the_hand(desktop: Desktop) -> None:
    desktop.tools.pick("box")
    desktop.drag((10, 12, 3), (20, 30, 3))
    assert desktop.slicer_saw == []
    desktop.tools.pick(None)
    desktop.drag((10, 12, 3), (20, 30, 3))
    assert desktop.slicer_saw == ["LeftButtonPressEvent", "MouseMoveEvent", "LeftButtonReleaseEvent"]
    assert len(desktop.session.calls) == 1


def test_the_mouse_can_be_moved_without_a_button_as_ever(desktop: Desktop) -> None:
    desktop.tools.pick("lasso")
    desktop._event("MouseMoveEvent", (10, 10, 3))
    assert desktop.slicer_saw == ["MouseMoveEvent"]


def test_the_stroke_is_shown_while_it_is_drawn_and_not_after(desktop: Desktop) -> None:
    scene = desktop.here.scene
    desktop.tools.pick("lasso")
    desktop._event("LeftButtonPressEvent", (10, 10, 3))
    desktop._event("MouseMoveEvent", (20, 10, 3))
    desktop._event("MouseMoveEvent", (20, 20, 3))
    assert scene.GetNthNodeByClass(0, "vtkMRMLMarkupsClosedCurveNode").GetNumberOfControlPoints() == 3
    desktop._event("LeftButtonReleaseEvent", (10, 20, 3))
    assert scene.GetNumberOfNodesByClass("vtkMRMLMarkupsCurveNode") == 0


def test_a_tool_that_is_put_down_in_the_middle_leaves_no_mark(desktop: Desktop) -> None:
    desktop.tools.pick("scribble_positive")
    desktop._event("LeftButtonPressEvent", (10, 10, 3))
    desktop._event("MouseMoveEvent", (20, 10, 3))
    desktop.tools.pick(None)
    desktop._event("LeftButtonReleaseEvent", (20, 10, 3))
    assert desktop.session.calls == []
    assert desktop.here.scene.GetNumberOfNodesByClass("vtkMRMLMarkupsCurveNode") == 0


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_lasso_holds_the_voxels_whose_centres_are_inside(axis: int) -> None:
    random = np.random.default_rng(3)
    first, second = (other for other in range(3) if other != axis)
    shape = (60, 50, 40)
    angles = np.sort(random.uniform(0, 2 * np.pi, 40))
    radius = random.uniform(8, 16, 40)
    path = np.zeros((40, 3))
    path[:, axis], path[:, first], path[:, second] = 7, 22 + radius * np.cos(angles), 19 + radius * np.sin(angles)
    crop = lasso(path, shape, axis)
    polygon = path[:, (first, second)]
    grown = np.zeros(shape, bool)
    e = crop.extent_ijk
    grown[e[0] : e[1], e[2] : e[3], e[4] : e[5]] = crop.values != 0
    plane = np.moveaxis(grown, axis, 0)[7]
    for u, v in random.integers(0, 40, (300, 2)):
        winding = _winding(polygon, np.array([u, v], float))
        rim = np.abs(polygon - [u, v]).max(axis=1).min() < 1 or _distance(polygon, np.array([u, v], float)) < 1
        assert rim or plane[u, v] == (winding != 0), (u, v)
    assert e[2 * axis : 2 * axis + 2] == (7, 8)


def test_strokes_are_cut_at_the_rim_of_the_image() -> None:
    path = np.array([[-5.0, 3.0, 2.0], [4.0, 3.0, 2.0]])
    assert scribble(path, SHAPE, 2, positive=False).extent_ijk == (0, 6, 2, 5, 2, 3)
    assert set(np.unique(scribble(path, SHAPE, 2, positive=False).values)) == {0, BACKGROUND_SCRIBBLE}


@pytest.mark.parametrize("path", [np.zeros((0, 3)), np.array([[1.0, 1.0, 9.0]]), np.array([[-30.0, 1.0, 2.0]])])
def test_strokes_beside_the_image_are_refused(path: np.ndarray) -> None:
    with pytest.raises(SamanticError):
        scribble(path, SHAPE, 2, positive=True)


def _winding(polygon: np.ndarray, point: np.ndarray) -> int:
    """The winding number, worked out by angles: another way than the one that is tried."""
    around = polygon - point
    turned = np.arctan2(around[:, 1], around[:, 0])
    steps = np.diff(np.append(turned, turned[0]))
    return round(float(((steps + np.pi) % (2 * np.pi) - np.pi).sum() / (2 * np.pi)))


def _distance(polygon: np.ndarray, point: np.ndarray) -> float:
    ends = np.roll(polygon, -1, axis=0)
    along = ends - polygon
    share = np.clip(((point - polygon) * along).sum(axis=1) / (along**2).sum(axis=1), 0, 1)
    return float(np.linalg.norm(polygon + share[:, None] * along - point, axis=1).min())
