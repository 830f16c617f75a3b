import numpy as np
import pytest

from samantic.imaging import Volume, resample_labels_to, resample_to


@pytest.fixture
def ramp(oblique_affine: np.ndarray) -> Volume:
    """A volume whose values are a linear function of the world, so that interpolation is exact."""
    ijk = np.stack(np.meshgrid(*map(np.arange, (12, 10, 8)), indexing="ij"), axis=-1)
    ras = ijk @ oblique_affine[:3, :3].T + oblique_affine[:3, 3]
    return Volume((ras @ (2.0, -1.0, 0.5)).astype(np.float32), oblique_affine, "MR")


def test_a_linear_image_is_interpolated_exactly_on_a_finer_rotated_and_sheared_grid(ramp: Volume) -> None:
    grid = ramp.affine.copy()
    grid[:3, :3] = grid[:3, :3] @ [[0.3, 0.1, 0], [-0.1, 0.3, 0.1], [0, 0, 0.4]]
    grid[:3, 3] = (ramp.affine @ (4, 4, 2, 1))[:3]
    reference = Volume(np.zeros((5, 6, 7), np.uint8), grid)
    back = resample_to(ramp, reference)
    ijk = np.stack(np.meshgrid(*map(np.arange, (5, 6, 7)), indexing="ij"), axis=-1)
    expected = (ijk @ grid[:3, :3].T + grid[:3, 3]) @ (2.0, -1.0, 0.5)
    np.testing.assert_allclose(back.array, expected, atol=1e-3)
    assert np.array_equal(back.affine, grid)
    assert (back.modality, back.array.dtype) == ("MR", np.float32)


def test_outside_the_image_is_its_lowest_value(ramp: Volume) -> None:
    far = ramp.affine.copy()
    far[:3, 3] += 1000
    assert (resample_to(ramp, Volume(np.zeros((2, 2, 2)), far)).array == ramp.array.min()).all()


def test_labels_are_never_mixed(ramp: Volume) -> None:
    labels = np.random.default_rng(0).choice([0, 3, 70000], ramp.shape_ijk).astype(np.uint32)
    finer = ramp.affine.copy()
    finer[:3, :3] /= 3
    back = resample_labels_to(labels, ramp.affine, Volume(np.zeros((30, 25, 20)), finer))
    assert back.dtype == np.uint32
    assert set(np.unique(back)) <= {0, 3, 70000}
    assert np.array_equal(back[::3, ::3, ::3], labels[:10, :9, :7])


def test_colour_is_resampled_channel_by_channel() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (6, 5, 1, 3)).astype(np.uint8)
    picture = Volume(pixels, np.diag([-1.0, -1, 1, 1]), "RGB", "photograph")
    assert np.array_equal(resample_to(picture, picture).array, pixels)
