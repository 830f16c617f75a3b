from __future__ import annotations

import numpy as np
import pytest

from samantic.datasets.supersampling import supersampled, supersampled_labels
from samantic.evaluation import dice
from samantic.imaging import Volume


@pytest.fixture
def labels() -> np.ndarray:
    """A ball beside a box, a rod one voxel thick, a sheet one voxel thick at the border, and a single voxel."""
    i, j, k = np.mgrid[:24, :26, :28]
    found = np.zeros((24, 26, 28), dtype=np.int16)
    found[(i - 9) ** 2 + (j - 9) ** 2 + (k - 10) ** 2 < 36] = 1
    found[15:20, 4:14, 5:15] = 2
    found[4:20, 20, 20] = 4
    found[0, 2:20, 2:12] = 5
    found[12, 22, 8] = 6
    return found


def repeated(labels: np.ndarray) -> np.ndarray:
    return labels.repeat(2, axis=0).repeat(2, axis=1).repeat(2, axis=2)


class TestLabels:
    def test_every_structure_keeps_its_volume_and_its_place(self, labels: np.ndarray):
        fine, blocky = supersampled_labels(labels), repeated(labels)
        assert fine.shape == blocky.shape and fine.dtype == labels.dtype
        assert set(np.unique(fine)) == {0, 1, 2, 4, 5, 6}
        for value, overlap in ((1, 0.94), (2, 0.94), (4, 0.8), (5, 0.9), (6, 0.6)):
            assert (fine == value).sum() == pytest.approx((blocky == value).sum(), rel=0.1)
            assert dice(fine == value, blocky == value) > overlap

    def test_a_thin_rod_does_not_break(self, labels: np.ndarray):
        rod = supersampled_labels(labels) == 4
        assert rod.any(axis=(1, 2))[9:39].all()

    def test_a_ball_of_blocks_becomes_more_of_a_ball(self, labels: np.ndarray):
        fine = supersampled_labels(labels) == 1
        coarse = repeated(labels) == 1
        i, j, k = (np.mgrid[:48, :52, :56] + 0.5) / 2 - 0.5
        ball = (i - 9) ** 2 + (j - 9) ** 2 + (k - 10) ** 2 < 35
        assert dice(fine, ball) > dice(coarse, ball)

    def test_no_labels_stay_none(self):
        assert not supersampled_labels(np.zeros((4, 5, 6), dtype=np.int16)).any()


class TestVolume:
    @pytest.fixture
    def volume(self) -> Volume:
        """Intensities that are 10 times the first RAS coordinate, so that geometry can be read from them."""
        affine = np.array([[0, 0, 3.0, 5.0], [-3.0, 0, 0, 7.0], [0, 3.0, 0, -9.0], [0, 0, 0, 1.0]])
        k = np.arange(12) * 3 + 5
        return Volume(np.broadcast_to(10 * k, (8, 10, 12)).astype(np.int16), affine, "CT")

    def test_it_covers_the_same_space_at_half_the_spacing(self, volume: Volume):
        fine = supersampled(volume)
        assert fine.shape_ijk == (16, 20, 24) and fine.spacing_mm == (1.5, 1.5, 1.5)
        assert fine.modality == "CT" and fine.array.dtype == np.int16
        outer = np.array([-0.5, -0.5, -0.5, 1.0])
        assert np.allclose(fine.affine @ outer, volume.affine @ outer)

    def test_every_voxel_shows_what_lies_at_its_place(self, volume: Volume):
        fine = supersampled(volume)
        k = np.arange(4, 20)  # away from the border, where there is nothing to interpolate with
        x = (fine.affine @ np.array([np.full(16, 5), np.full(16, 6), k, np.ones(16)]))[0]
        assert np.abs(fine.array[5, 6, 4:20] - 10 * x).max() <= 1

    def test_sharp_borders_cast_no_rings(self):
        array = np.zeros((10, 10, 10), dtype=np.int16)
        array[4:7, 4:7, 4:7] = 1000
        array[0, 0, 0] = -500  # the lowest value of the image is not what bounds the rings
        fine = supersampled(Volume(array, np.eye(4), "MR")).array
        assert fine[4:].min() == 0 and fine.max() == 1000

    def test_colour_is_refused(self):
        colour = Volume(np.zeros((4, 4, 4, 3), dtype=np.uint8), np.eye(4), "RGB")
        with pytest.raises(ValueError, match="single channel"):
            supersampled(colour)
