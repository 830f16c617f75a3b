"""Marks of a real scene reach the server's params as the voxels that they were placed on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import vtk
from SamanticLib.errors import SamanticError
from SamanticLib.geometry import OutsideImage
from SamanticLib.markups import box_voxels, curve_lasso, curve_scribble, point_voxels, slice_shown
from SamanticLib.nodes import to_vtk_matrix, volume_ijk_to_world
from SamanticLib.prompts import Prompts
from tests.slicer_extension.scenes import GRIDS, OBLIQUE, OBLIQUE_GRIDS, SHAPE, SHEARED, Scene

VOXELS = np.array([[0, 0, 0], [6, 8, 4], [3, 1, 2], [5, 7, 0]])


@pytest.fixture
def a_scene() -> Scene:
    return Scene()


def world(volume: Any, ijk: np.ndarray) -> np.ndarray:
    """Where Slicer itself says that voxels are: matrix and transforms of the node, one point at a time."""
    matrix, transform, places = vtk.vtkMatrix4x4(), vtk.vtkGeneralTransform(), []
    volume.GetIJKToRASMatrix(matrix)
    if volume.GetParentTransformNode() is not None:
        volume.GetParentTransformNode().GetTransformToWorld(transform)
    for point in np.asarray(ijk, dtype=float).reshape(-1, 3):
        places.append(transform.TransformPoint(matrix.MultiplyPoint([*point, 1.0])[:3]))
    return np.array(places)


def mark(node: Any, places: np.ndarray) -> Any:
    for place in places:
        node.AddControlPointWorld(vtk.vtkVector3d(*place))
    return node


def plain(*_: Any) -> None:
    """No transforms at all."""


def volume_moved(scene: Scene, volume: Any, *_: Any) -> None:
    volume.SetAndObserveTransformNodeID(scene.transform(SHEARED, scene.transform(OBLIQUE)).GetID())


def marks_moved(scene: Scene, _: Any, *marks: Any) -> None:
    for node in marks:
        node.SetAndObserveTransformNodeID(scene.transform(OBLIQUE, scene.transform(SHEARED)).GetID())


def both_moved(scene: Scene, volume: Any, *marks: Any) -> None:
    volume_moved(scene, volume)
    marks_moved(scene, volume, *marks)


def volume_bent(scene: Scene, volume: Any, *_: Any) -> None:
    volume.SetAndObserveTransformNodeID(scene.bending().GetID())


MOVES = [plain, volume_moved, marks_moved, both_moved, volume_bent]
CASES = [(grid, plain) for grid in [*GRIDS, *OBLIQUE_GRIDS]]
CASES += [(grid, move) for grid in GRIDS[::4] for move in MOVES[1:]]


@pytest.mark.parametrize(("grid", "move"), CASES)
def test_clicks_reach_the_server_as_the_voxels_that_were_clicked(
    a_scene: Scene, grid: np.ndarray, move: Callable
) -> None:
    volume = a_scene.volume(grid)
    positive, negative = (a_scene.add("vtkMRMLMarkupsFiducialNode") for _ in range(2))
    move(a_scene, volume, positive, negative)
    jitter = np.random.default_rng(2).uniform(-0.45, 0.45, VOXELS.shape)
    mark(positive, world(volume, VOXELS + jitter))
    mark(negative, world(volume, [[1, 2, 3]]))
    prompts = Prompts(point_voxels(positive, volume), point_voxels(negative, volume))
    assert prompts.to_params() == {"foreground": VOXELS.tolist(), "background": [[1, 2, 3]]}


@pytest.mark.parametrize("move", MOVES)
def test_a_click_outside_the_image_is_refused(a_scene: Scene, move: Callable) -> None:
    volume = a_scene.volume(GRIDS[11])
    points = a_scene.add("vtkMRMLMarkupsFiducialNode")
    move(a_scene, volume, points)
    mark(points, world(volume, [[1, 1, 1], [3, 9, 2]]))
    with pytest.raises(OutsideImage, match=r"Point 2 lies outside the image, at voxel \(3\.0, 9\.0, 2\.0\)"):
        point_voxels(points, volume)


def test_a_point_that_is_not_placed_yet_is_no_click(a_scene: Scene) -> None:
    volume = a_scene.volume(GRIDS[3])
    points = mark(a_scene.add("vtkMRMLMarkupsFiducialNode"), world(volume, VOXELS))
    points.SetNthControlPointPosition(1, 0.0, 0.0, 0.0, points.PositionPreview)
    np.testing.assert_array_equal(point_voxels(points, volume), VOXELS[[0, 2, 3]])
    assert point_voxels(a_scene.add("vtkMRMLMarkupsFiducialNode"), volume).shape == (0, 3)


def test_a_click_in_a_photograph_is_in_its_one_slice(a_scene: Scene) -> None:
    volume = a_scene.volume(np.diag([-1.0, -1.0, 1.0, 1.0]), (12, 10, 1), colour=True)
    points = mark(a_scene.add("vtkMRMLMarkupsFiducialNode"), np.array([[-7.0, -3.0, 0.0]]))
    assert Prompts(point_voxels(points, volume)).to_params() == {"foreground": [[7, 3, 0]]}


@pytest.mark.parametrize("grid", [*GRIDS, *OBLIQUE_GRIDS])
@pytest.mark.parametrize("moved", [False, True])
def test_a_box_around_voxels_has_their_extent(a_scene: Scene, grid: np.ndarray, moved: bool) -> None:
    volume = a_scene.volume(grid)
    roi = a_scene.add("vtkMRMLMarkupsROINode")
    turned = grid.copy()
    turned[:3, :3] /= np.linalg.norm(grid[:3, :3], axis=0)
    turned[:3, 3] = world(volume, [[2.5, 4.5, 1.5]])[0]
    roi.SetSize(*(np.array([4, 6, 2]) * 0.98 * np.linalg.norm(grid[:3, :3], axis=0)))
    roi.SetAndObserveObjectToNodeMatrix(to_vtk_matrix(turned))
    if moved:  # together, so that the box stays around its voxels, although it has no right angles any more
        transform = a_scene.transform(SHEARED, a_scene.transform(OBLIQUE))
        for node in (volume, roi):
            node.SetAndObserveTransformNodeID(transform.GetID())
    assert box_voxels(roi, volume) == (1, 5, 2, 8, 1, 3)
    assert Prompts().with_box(box_voxels(roi, volume)).to_params() == {"boxes": [[1, 5, 2, 8, 1, 3]]}


@pytest.mark.parametrize("move", [plain, volume_moved, marks_moved, both_moved, volume_bent])
def test_a_turned_box_has_the_extent_of_the_voxels_in_it(a_scene: Scene, move: Callable) -> None:
    """Whatever the transforms: each voxel whose centre is in the box, by Slicer's own transforms, is in the extent."""
    volume = a_scene.volume(GRIDS[30], (40, 40, 40))
    roi = a_scene.add("vtkMRMLMarkupsROINode")
    move(a_scene, volume, roi)
    middle = world(volume, [[19.5, 19.5, 19.5]])[0]
    roi.SetCenterWorld(*middle)
    roi.SetSize(7.0, 5.0, 11.0)
    extent = np.array(box_voxels(roi, volume))
    centre = np.array(roi.GetCenter())
    i, j, k = np.meshgrid(*(np.arange(40),) * 3, indexing="ij")
    voxels = np.stack([i, j, k], axis=-1).reshape(-1, 3)
    places = world(volume, voxels)
    inverse = vtk.vtkGeneralTransform()
    if roi.GetParentTransformNode() is not None:
        roi.GetParentTransformNode().GetTransformFromWorld(inverse)
    local = np.array([inverse.TransformPoint(place) for place in places])
    held = voxels[(np.abs(local - centre) <= [3.5, 2.5, 5.5]).all(axis=1)]
    assert len(held) > 5
    assert (held >= extent[::2]).all()
    assert (held < extent[1::2]).all()
    slack = 4  # the corners of a sheared box are too thin to hold the centre of a voxel
    assert (held.min(axis=0) - extent[::2] <= slack).all()
    assert (extent[1::2] - 1 - held.max(axis=0) <= slack).all()


def test_a_box_outside_or_without_a_size_is_refused(a_scene: Scene) -> None:
    volume = a_scene.volume(GRIDS[0])
    roi = a_scene.add("vtkMRMLMarkupsROINode", "box")
    with pytest.raises(SamanticError, match="has no size yet"):
        box_voxels(roi, volume)
    roi.SetCenterWorld(900.0, 0.0, 0.0)
    roi.SetSize(2.0, 2.0, 2.0)
    with pytest.raises(OutsideImage, match="move it inside"):
        box_voxels(roi, volume)


@pytest.mark.parametrize(("grid", "move"), [(grid, move) for grid in GRIDS[::3] for move in MOVES])
def test_a_curve_is_a_scribble_on_the_voxels_it_runs_through(a_scene: Scene, grid: np.ndarray, move: Callable) -> None:
    volume = a_scene.volume(grid)
    curve = a_scene.add("vtkMRMLMarkupsCurveNode")
    curve.SetCurveTypeToLinear()
    move(a_scene, volume, curve)
    mark(curve, world(volume, [[1, 2, 3], [5, 2, 3]]))
    crop = curve_scribble(curve, volume, 2)
    drawn = np.zeros(SHAPE, np.uint8)
    i0, i1, j0, j1, k0, k1 = crop.extent_ijk
    drawn[i0:i1, j0:j1, k0:k1] = crop.values
    assert (k0, k1) == (3, 4)
    assert (drawn[1:6, 2, 3] == 3).all()
    reach = np.argwhere(drawn)
    assert (np.abs(reach[:, 1] - 2) <= 1).all()  # no wider than the brush
    assert (curve_scribble(curve, volume, 2, positive=False).values[crop.values == 3] == 2).all()
    params = Prompts(axis=2, slice=3).with_scribble(crop).to_params()
    assert {"name": "foreground_scribbles", "id": 3} in params["label_info"]


@pytest.mark.parametrize(("grid", "move"), [(grid, move) for grid in GRIDS[1::5] for move in MOVES])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_loop_is_all_that_it_goes_around(a_scene: Scene, grid: np.ndarray, move: Callable, axis: int) -> None:
    volume = a_scene.volume(grid)
    loop = a_scene.add("vtkMRMLMarkupsClosedCurveNode")
    loop.SetCurveTypeToLinear()
    move(a_scene, volume, loop)
    corners = np.full((4, 3), 2.0)
    corners[:, [along for along in range(3) if along != axis]] = [[1, 1], [4, 1], [4, 3], [1, 3]]
    mark(loop, world(volume, corners))
    crop = curve_lasso(loop, volume, axis)
    expected = {0: (2, 3, 1, 5, 1, 4), 1: (1, 5, 2, 3, 1, 4), 2: (1, 5, 1, 4, 2, 3)}[axis]
    assert crop.extent_ijk == expected
    assert (crop.values == 3).all()


def test_a_curve_through_several_slices_or_without_points_is_refused(a_scene: Scene) -> None:
    volume = a_scene.volume(GRIDS[0])
    curve = a_scene.add("vtkMRMLMarkupsCurveNode", "line")
    with pytest.raises(SamanticError, match="no points yet"):
        curve_scribble(curve, volume, 2)
    mark(curve, world(volume, [[1, 2, 1], [5, 2, 3]]))
    with pytest.raises(SamanticError, match="runs through the slices 1 to 3"):
        curve_scribble(curve, volume, 2)
    assert curve_scribble(curve, volume, 1).extent_ijk[2:4] == (2, 3)
    mark(curve, world(volume, [[9, 2, 3]]))
    with pytest.raises(OutsideImage, match="Point 3"):
        curve_scribble(curve, volume, 1)


@pytest.mark.parametrize("grid", [*GRIDS[::2], *OBLIQUE_GRIDS])
@pytest.mark.parametrize("move", [plain, volume_moved])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_slice_view_shows_the_slice_that_it_is_on(
    a_scene: Scene, grid: np.ndarray, move: Callable, axis: int
) -> None:
    volume = a_scene.volume(grid)
    move(a_scene, volume)
    view = a_scene.add("vtkMRMLSliceNode", "Red")
    matrix = volume_ijk_to_world(volume)
    first, second = (matrix[:3, along] for along in range(3) if along != axis)
    x = first / np.linalg.norm(first)
    z = np.cross(first, second)
    z /= np.linalg.norm(z)
    middle = np.array([20.0, -9.0, 2.0])
    middle[axis] = SHAPE[axis] - 2
    turned = np.eye(4)
    turned[:3, :3] = np.stack([x, np.cross(z, x), z], axis=1)
    turned[:3, 3] = world(volume, middle)[0]
    view.GetSliceToRAS().DeepCopy(to_vtk_matrix(turned))
    view.UpdateMatrices()
    assert slice_shown(view, volume) == (axis, SHAPE[axis] - 2)
