from __future__ import annotations

import itertools

import numpy as np
import pytest
from SamanticLib.errors import SamanticError
from SamanticLib.geometry import (
    OutsideImage,
    box_extent,
    clipped_extent,
    common_extent,
    extent_of_mask,
    extent_shape,
    extent_slices,
    ijk_to_ras_points,
    inside_image,
    joined_extent,
    nearest_voxel,
    ras_to_ijk,
    shifted_extent,
    slice_axis,
    slice_of_view,
)

SHAPE = (7, 9, 5)
SPACING = (0.7, 1.3, 4.0)
OBLIQUE = np.array([[0.9, -0.3, 0.3162], [0.35, 0.93, -0.1], [-0.26, 0.2, 0.94]])


def orientations() -> list[np.ndarray]:
    """The 48 ways to permute and flip three axes, as matrices."""
    found = []
    for order in itertools.permutations(range(3)):
        for signs in itertools.product((1, -1), repeat=3):
            matrix = np.zeros((3, 3))
            for axis, (to, sign) in enumerate(zip(order, signs, strict=True)):
                matrix[to, axis] = sign
            found.append(matrix)
    return found


def affine(orientation: np.ndarray) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = orientation * SPACING
    matrix[:3, 3] = (-30.5, 12.25, 100.0)
    return matrix


GRIDS = [affine(one) for one in orientations()] + [affine(OBLIQUE @ one) for one in orientations()[::7]]


@pytest.mark.parametrize("matrix", GRIDS)
def test_places_become_voxels_and_back_in_every_orientation(matrix: np.ndarray) -> None:
    voxels = np.random.default_rng(3).integers(0, SHAPE, (20, 3))
    jitter = np.random.default_rng(4).uniform(-0.49, 0.49, (20, 3))
    places = ijk_to_ras_points(voxels + jitter, matrix)
    np.testing.assert_allclose(ras_to_ijk(places, matrix), voxels + jitter, atol=1e-9)
    np.testing.assert_array_equal(nearest_voxel(ras_to_ijk(places, matrix), SHAPE), voxels)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_rim_of_the_image_is_inside_and_beyond_it_is_refused(axis: int) -> None:
    point = np.array([[3.0, 4.0, 2.0]])
    for value, voxel in ((-0.5, 0), (SHAPE[axis] - 0.5, SHAPE[axis] - 1)):
        point[0, axis] = value
        assert nearest_voxel(point, SHAPE)[0, axis] == voxel
    for value in (-0.6, SHAPE[axis] - 0.4, np.nan, np.inf):
        point[0, axis] = value
        assert not inside_image(point, SHAPE)[0]
        with pytest.raises(OutsideImage, match=r"The point lies outside the image.*k 0 to 4\. Move it inside"):
            nearest_voxel(point, SHAPE)


def test_of_several_points_the_one_outside_is_named() -> None:
    with pytest.raises(OutsideImage, match=r"Point 2 lies outside the image, at voxel \(7\.0, 0\.0, 0\.0\)"):
        nearest_voxel(np.array([[0, 0, 0], [7, 0, 0]]), SHAPE)


def test_a_box_holds_the_voxels_whose_centres_it_holds_and_is_cut_to_the_image() -> None:
    assert box_extent(np.array([[0.6, -3, 1.0], [3.4, 2.9, 2.0]]), SHAPE) == (1, 4, 0, 3, 1, 3)
    assert box_extent(np.array([[2.2, 2.2, 2.2], [2.4, 2.4, 2.4]]), SHAPE) == (2, 3, 2, 3, 2, 3)
    assert box_extent(np.array([[-90, -90, -90], [90, 90, 90]]), SHAPE) == (0, 7, 0, 9, 0, 5)
    with pytest.raises(OutsideImage, match="The box lies outside the image"):
        box_extent(np.array([[0, 0, 6], [3, 3, 8]]), SHAPE)
    with pytest.raises(SamanticError, match="no corners"):
        box_extent(np.zeros((0, 3)), SHAPE)


def test_extents_are_half_open_everywhere() -> None:
    mask = np.zeros(SHAPE, bool)
    assert extent_of_mask(mask) is None
    mask[1:4, 2:3, 4] = True
    extent = extent_of_mask(mask)
    assert extent == (1, 4, 2, 3, 4, 5)
    assert extent_shape(extent) == (3, 1, 1)
    assert mask[extent_slices(extent)].all()
    assert extent_slices(extent, (1, 7, 0, 9, 3, 5)) == (slice(0, 3), slice(2, 3), slice(1, 2))
    assert clipped_extent((5, 12, -4, 2, 0, 5), SHAPE) == (5, 7, 0, 2, 0, 5)
    assert clipped_extent((7, 12, 0, 2, 0, 5), SHAPE) is None
    assert common_extent((0, 2, 0, 2, 0, 2), (2, 4, 0, 2, 0, 2)) is None
    assert joined_extent((0, 2, 0, 2, 0, 2), (1, 4, 1, 2, -1, 1)) == (0, 4, 0, 2, -1, 2)
    assert shifted_extent((0, 1, 0, 1, 0, 1), (4, 5, 6)) == (4, 5, 5, 6, 6, 7)
    with pytest.raises(SamanticError, match="ends before it begins"):
        extent_shape((3, 1, 0, 1, 0, 1))


@pytest.mark.parametrize("matrix", GRIDS)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_view_across_an_axis_is_known_by_its_normal_and_shows_its_slice(matrix: np.ndarray, axis: int) -> None:
    first, second = (matrix[:3, other] for other in range(3) if other != axis)
    normal = np.cross(first, second)
    normal /= np.linalg.norm(normal)
    assert slice_axis(normal, matrix) == slice_axis(-normal, matrix) == axis
    view = np.eye(4)
    view[:3, 2] = normal
    index = SHAPE[axis] - 2
    beside = np.full(3, 40.0)  # the middle of a view may lie far beside the image
    beside[axis] = index + 0.3
    view[:3, 3] = ijk_to_ras_points(beside[None], matrix)[0]
    assert slice_of_view(view, matrix, SHAPE) == (axis, index)
    beside[axis] = SHAPE[axis]
    view[:3, 3] = ijk_to_ras_points(beside[None], matrix)[0]
    with pytest.raises(OutsideImage, match="scroll it back"):
        slice_of_view(view, matrix, SHAPE)


def test_with_a_sheared_axis_the_slices_count_and_not_the_axis() -> None:
    tilted = np.eye(4)
    tilted[1, 2] = 1.2  # the k axis leans by 50 degrees; its slices are still axial
    assert slice_axis(np.array([0, 0, 1.0]), tilted) == 2


@pytest.mark.parametrize("normal", [(0, 0, 0), (np.nan, 0, 1), (0, 1)])
def test_a_view_without_a_direction_is_refused(normal: tuple[float, ...]) -> None:
    with pytest.raises(SamanticError, match="no direction"):
        slice_axis(np.array(normal), np.eye(4))


@pytest.mark.parametrize("damaged", [np.zeros((4, 4)), np.full((4, 4), np.nan), np.eye(3), np.ones((4, 4))])
def test_a_damaged_matrix_is_a_sentence(damaged: np.ndarray) -> None:
    with pytest.raises(SamanticError, match="geometry is damaged"):
        ras_to_ijk(np.zeros((1, 3)), damaged)
