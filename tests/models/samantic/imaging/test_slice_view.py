import numpy as np
import pytest

from samantic.imaging import SliceView, ViewError, Volume


@pytest.fixture
def patient() -> Volume:
    """i runs R->L, j A->P, k S->I (so every axis runs as the pictures do); one voxel each is marked."""
    array = np.zeros((5, 7, 9), np.int16)
    array[1, 2, 3] = 100
    array[1, 2, 8], array[4, 2, 3], array[1, 6, 3] = 1, 2, 3
    return Volume(array, np.diag([-2.0, -3.0, -4.0, 1.0]))


def test_an_axial_slice_shows_the_patients_right_on_the_left_and_anterior_on_top(patient: Volume) -> None:
    view = SliceView.of(patient, 2, 3)
    picture = view.extract(patient.array)
    assert (view.plane, view.shape, view.spacing_yx_mm) == ("axial", (7, 5), (3.0, 2.0))
    assert picture[2, 1] == 100  # anterior right
    assert picture[2, 4] == 2  # the marker towards the left
    assert picture[6, 1] == 3  # the marker towards posterior


def test_a_coronal_slice_shows_superior_on_top_and_the_patients_right_on_the_left(patient: Volume) -> None:
    view = SliceView.of(patient, 1, 2)
    picture = view.extract(patient.array)
    assert (view.plane, view.shape, view.spacing_yx_mm) == ("coronal", (9, 5), (4.0, 2.0))
    assert (picture[3, 1], picture[8, 1], picture[3, 4]) == (100, 1, 2)


def test_a_sagittal_slice_shows_superior_on_top_and_anterior_on_the_left(patient: Volume) -> None:
    view = SliceView.of(patient, 0, 1)
    picture = view.extract(patient.array)
    assert (view.plane, view.shape, view.spacing_yx_mm) == ("sagittal", (9, 7), (4.0, 3.0))
    assert (picture[3, 2], picture[8, 2], picture[3, 6]) == (100, 1, 3)


def test_a_picture_is_the_same_whatever_the_storage_orientation(phantom: Volume, all_orientations: list) -> None:
    for axis in range(3):
        index = 1
        expected = SliceView.of(phantom, axis, index)
        for orientation in all_orientations:
            stored = orientation.volume(phantom)
            stored_axis = orientation.axes.index(axis)
            count = stored.shape_ijk[stored_axis]
            stored_index = count - 1 - index if orientation.flips[stored_axis] else index
            view = SliceView.of(stored, stored_axis, stored_index)
            assert view.plane == expected.plane, orientation
            np.testing.assert_allclose(view.spacing_yx_mm, expected.spacing_yx_mm)
            picture = view.extract(stored.array)
            assert np.array_equal(picture, expected.extract(phantom.array)), (axis, orientation)


def test_a_point_on_the_marker_lands_on_the_marker_and_back(phantom: Volume, all_orientations: list) -> None:
    for orientation in all_orientations:
        stored = orientation.volume(phantom)
        marker = np.argwhere(stored.array == stored.array.max())
        for axis in range(3):
            view = SliceView.of(stored, axis, int(marker[0, axis]))
            (x, y) = view.to_view(marker)[0].astype(int)
            assert view.extract(stored.array)[y, x] == stored.array.max(), (axis, orientation)
            assert np.array_equal(view.to_ijk(np.array([[x, y]])), marker), (axis, orientation)


def test_inserting_what_was_extracted_changes_nothing_and_inserting_elsewhere_only_that_slice(
    phantom: Volume, all_orientations: list
) -> None:
    for orientation in all_orientations:
        stored = orientation.array(phantom.array).copy()
        affine = orientation.affine(phantom.affine, phantom.shape_ijk)
        for axis in range(3):
            for index in (0, stored.shape[axis] - 1):
                view = SliceView(stored.shape, affine, axis, index)
                copy = stored.copy()
                view.insert(copy, view.extract(stored))
                assert np.array_equal(copy, stored)
                view.insert(copy, np.full(view.shape, 9999))
                assert np.array_equal(np.unique(np.nonzero(copy != stored)[axis]), [index])
                assert np.count_nonzero(copy == 9999) == view.shape[0] * view.shape[1]


def test_a_box_in_voxels_covers_the_same_voxels_in_the_picture(phantom: Volume, all_orientations: list) -> None:
    lower, upper = np.array([1, 2, 3]), np.array([4, 4, 8])
    for orientation in all_orientations:
        stored = orientation.volume(phantom)
        inside = np.zeros(phantom.shape_ijk, bool)
        inside[1:4, 2:4, 3:8] = True
        inside = orientation.array(inside)
        low = np.argwhere(inside).min(axis=0)
        high = np.argwhere(inside).max(axis=0) + 1
        assert sorted(high - low) == sorted(upper - lower)
        for axis in range(3):
            view = SliceView.of(stored, axis, int(low[axis]))
            x0, y0, x1, y1 = view.box_to_view(tuple(low), tuple(high))
            drawn = np.zeros(view.shape, bool)
            drawn[y0:y1, x0:x1] = True
            assert np.array_equal(drawn, view.extract(inside)), (axis, orientation)
            back_low, back_high = view.box_to_ijk((x0, y0, x1, y1))
            thick = high.copy()
            thick[axis] = low[axis] + 1
            assert (back_low, back_high) == (tuple(low), tuple(thick))


def test_a_photograph_keeps_its_pixels_where_they_are() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (6, 4, 1, 3)).astype(np.uint8)
    photograph = Volume(pixels, np.diag([-1.0, -1.0, 1.0, 1.0]), "RGB", "photograph")
    view = SliceView.of(photograph, 2, 0)
    picture = view.extract(pixels)
    assert picture.shape == (4, 6, 3)
    assert np.array_equal(picture[3, 5], pixels[5, 3, 0])
    assert np.array_equal(view.to_view(np.array([[5.25, 3.5, 0]])), [[5.25, 3.5]])


def test_fractions_of_a_voxel_survive_on_the_way_to_the_picture_and_round_to_the_nearest_on_the_way_back(
    patient: Volume,
) -> None:
    view = SliceView.of(patient, 2, 0)
    assert np.array_equal(view.to_view(np.array([[1.25, 2.5, 0]])), [[1.25, 2.5]])
    assert np.array_equal(view.to_ijk(np.array([[1.49, 2.51]])), [[1, 3, 0]])
    assert view.to_ijk(np.zeros((0, 2))).shape == (0, 3)


def test_an_oblique_volume_gives_each_voxel_axis_a_plane_of_its_own(oblique_affine: np.ndarray) -> None:
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(0.78), -np.sin(0.78)], [np.sin(0.78), np.cos(0.78)]]
    planes = {SliceView((4, 5, 6), turn @ oblique_affine, axis, 0).plane for axis in range(3)}
    assert planes == {"axial", "coronal", "sagittal"}


def test_keys_tell_views_apart_and_slice_zero_is_a_slice(patient: Volume) -> None:
    keys = {SliceView.of(patient, axis, index).key for axis in range(3) for index in range(5)}
    assert len(keys) == 15
    assert SliceView.of(patient, 2, 3).at(0).index == 0
    assert SliceView.of(patient, 2, 3).at(0).extract(patient.array).shape == (7, 5)


@pytest.mark.parametrize("index", [-1, 9])
def test_a_slice_outside_the_image_is_refused_with_the_allowed_range(patient: Volume, index: int) -> None:
    with pytest.raises(ViewError, match=f"slice {index} lies outside the image; along axis 2 use 0 to 8"):
        SliceView.of(patient, 2, index)


def test_an_axis_that_does_not_exist_is_refused(patient: Volume) -> None:
    with pytest.raises(ViewError, match="axis 3 does not exist"):
        SliceView.of(patient, 3, 0)


def test_arrays_of_another_shape_are_refused(patient: Volume) -> None:
    view = SliceView.of(patient, 2, 0)
    with pytest.raises(ViewError, match=r"the array is \(7, 5, 9\)"):
        view.extract(np.zeros((7, 5, 9)))
    with pytest.raises(ViewError, match=r"the picture is \(5, 7\), the slice \(7, 5\)"):
        view.insert(np.zeros((5, 7, 9)), np.zeros((5, 7)))
