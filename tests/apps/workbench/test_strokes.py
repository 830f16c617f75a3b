"""Strokes in a slice view become voxels of one slice, whichever way the image lies."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("trame_slicer")

from SamanticLib.geometry import OutsideImage, ijk_to_ras_points
from SamanticLib.prompts import BACKGROUND_SCRIBBLE, FOREGROUND_SCRIBBLE
from SamanticLib.session_ports import SceneImage

from samantic.workbench.scene.prompt_effect import MarkKind, Stroke
from samantic.workbench.scene.strokes import axis_of, box_of, point_of, scribble_of

SHAPE = (20, 24, 10)


def an_image(*flips: int) -> SceneImage:
    matrix = np.diag([*(flip * spacing for flip, spacing in zip(flips, (0.8, 0.9, 3.0), strict=True)), 1.0])
    matrix[:3, 3] = (12.0, -7.0, 30.0)
    return SceneImage("ct", SHAPE, matrix)


def a_stroke(image: SceneImage, kind: MarkKind, *voxels: tuple[float, float, float], normal: int = 2) -> Stroke:
    slice_to_ras = np.eye(4)
    axes = [axis for axis in range(3) if axis != normal]
    slice_to_ras[:3, :3] = np.eye(3)[:, [*axes, normal]]
    return Stroke(kind, ijk_to_ras_points(np.array(voxels, float), image.ijk_to_ras), slice_to_ras, False)


@pytest.mark.parametrize("flips", [(1, 1, 1), (-1, -1, 1), (-1, 1, -1)])
@pytest.mark.parametrize("normal", [0, 1, 2])
def test_a_click_is_the_voxel_under_it(flips: tuple[int, int, int], normal: int) -> None:
    image = an_image(*flips)
    stroke = a_stroke(image, MarkKind.POINT, (3.2, 5.4, 7.1), normal=normal)
    assert point_of(stroke, image) == (3, 5, 7)
    assert axis_of(stroke, image) == normal


@pytest.mark.parametrize("flips", [(1, 1, 1), (-1, -1, 1)])
def test_a_box_is_one_voxel_thick_across_its_slice(flips: tuple[int, int, int]) -> None:
    image = an_image(*flips)
    assert box_of(a_stroke(image, MarkKind.BOX, (2.6, 4.8, 7.3), (8.2, 3.1, 7.3)), image) == (3, 9, 4, 5, 7, 8)


def test_a_scribble_has_no_gaps_and_says_which_kind_it_is() -> None:
    image = an_image(-1, -1, 1)
    stroke = a_stroke(image, MarkKind.SCRIBBLE, (2, 2, 4), (10, 6, 4))
    crop = scribble_of(stroke, image, positive=False, filled=False)
    assert crop.extent_ijk == (2, 11, 2, 7, 4, 5)
    assert set(np.unique(crop.values)) == {0, BACKGROUND_SCRIBBLE}
    assert (crop.values.any(axis=(1, 2))).all()


def test_a_lasso_holds_what_is_inside() -> None:
    image = an_image(1, 1, 1)
    corners = ((2, 2, 4), (10, 2, 4), (10, 8, 4), (2, 8, 4))
    crop = scribble_of(a_stroke(image, MarkKind.LASSO, *corners), image, positive=True, filled=True)
    inside = crop.values == FOREGROUND_SCRIBBLE
    assert inside[4, 3, 0]
    assert inside[1:-1, 1:-1].all()


def test_a_lasso_that_leaves_the_image_is_cut_at_its_rim() -> None:
    image = an_image(1, 1, 1)
    corners = ((-6, 2, 4), (10, 2, 4), (10, 8, 4), (-6, 8, 4))
    crop = scribble_of(a_stroke(image, MarkKind.LASSO, *corners), image, positive=True, filled=True)
    assert crop.extent_ijk[:4] == (0, 11, 2, 9)


def test_a_click_beside_the_image_is_no_voxel() -> None:
    image = an_image(1, 1, 1)
    with pytest.raises(OutsideImage):
        point_of(a_stroke(image, MarkKind.POINT, (-5, 2, 3)), image)
