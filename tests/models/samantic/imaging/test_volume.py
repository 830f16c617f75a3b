import dataclasses

import numpy as np
import pytest

from samantic.imaging import Volume


def test_a_volume_cannot_be_changed(phantom: Volume) -> None:
    with pytest.raises(ValueError, match="read-only"):
        phantom.array[0, 0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        phantom.affine[0, 0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        phantom.modality = "MR"  # type: ignore[misc]


def test_the_callers_own_array_stays_writable() -> None:
    array = np.zeros((2, 2, 2))
    Volume(array, np.eye(4))
    array[0, 0, 0] = 1


def test_the_hash_is_the_same_for_every_memory_layout(phantom: Volume) -> None:
    fortran = Volume(np.asfortranarray(phantom.array), phantom.affine)
    padded = np.zeros((10, 7, 9), np.int16)
    padded[::2] = phantom.array
    assert phantom.content_hash == fortran.content_hash == Volume(padded[::2], phantom.affine).content_hash


def test_the_hash_differs_by_a_voxel_a_type_a_shape_and_by_geometry(phantom: Volume) -> None:
    other_voxel = phantom.array.copy()
    other_voxel[4, 6, 8] += 1
    moved = phantom.affine.copy()
    moved[0, 3] += 0.001
    others = [
        Volume(other_voxel, phantom.affine),
        Volume(phantom.array.view(np.uint16), phantom.affine),
        Volume(phantom.array.reshape(7, 5, 9), phantom.affine),
        Volume(phantom.array, moved),
    ]
    assert len({phantom.content_hash, *(other.content_hash for other in others)}) == 5


def test_spacing_is_the_length_of_the_voxel_axes(phantom: Volume) -> None:
    np.testing.assert_allclose(phantom.spacing_mm, (0.7, 1.1, 2.5), rtol=1e-12)


def test_other_voxels_of_the_same_grid_keep_geometry_and_modality(phantom: Volume) -> None:
    doubled = phantom.with_array(phantom.array * 2)
    assert doubled.modality == "CT"
    assert np.array_equal(doubled.affine, phantom.affine)
    with pytest.raises(ValueError, match=r"the array is \(7, 5, 9\), the image \(5, 7, 9\)"):
        phantom.with_array(np.zeros((7, 5, 9)))


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float32])
def test_percentiles_of_integers_are_those_that_sorting_finds(dtype: type) -> None:
    values = np.random.default_rng(3).integers(5, 120, (30, 40, 50)).astype(dtype)
    if np.dtype(dtype).kind == "i":
        values = values - np.array(60, dtype)
    expected = np.percentile(values, (0.5, 99.5), method="lower")
    np.testing.assert_allclose(Volume(values, np.eye(4)).intensity_percentiles, expected)


@pytest.mark.parametrize(
    ("array", "affine", "modality", "sentence"),
    [
        (np.zeros((2, 2)), np.eye(4), "CT", r"an image is \(I, J, K\)"),
        (np.zeros((2, 2, 2, 4)), np.eye(4), "CT", r"an image is \(I, J, K\)"),
        (np.zeros((2, 0, 2)), np.eye(4), "CT", "at least one voxel"),
        (np.zeros((2, 2, 2)), np.eye(4), "XRAY", "modality 'XRAY' is not one of CT"),
        (np.zeros((2, 2, 2)), np.eye(3), "CT", "4x4 matrix"),
        (np.zeros((2, 2, 2)), np.full((4, 4), np.nan), "CT", "finite numbers"),
        (np.zeros((2, 2, 2)), np.diag([1.0, 0, 1, 1]), "CT", "not invertible"),
        (np.zeros((2, 2, 2)), np.diag([1.0, 1, 1, 2]), "CT", "last row"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(
    array: np.ndarray, affine: np.ndarray, modality: str, sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        Volume(array, affine, modality)  # type: ignore[arg-type]
