from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from samantic.datasets.near_duplicates import DERMOSCOPY, ULTRASOUND, likeness, near_duplicates, signature


def picture(seed: int, shape: tuple[int, ...] = (128, 160)) -> np.ndarray:
    """Smooth random texture from 0 to 255, as speckle at the resolution that matters."""
    texture = gaussian_filter(np.random.default_rng(seed).normal(size=shape), 4)
    return np.interp(texture, (texture.min(), texture.max()), (0, 255)).astype(np.uint8)


def alike(first: np.ndarray, second: np.ndarray) -> float:
    return float(likeness(signature(first)[None], signature(second)[None])[0, 0])


class TestLikeness:
    def test_an_image_is_wholly_like_itself(self):
        assert alike(picture(0), picture(0)) == pytest.approx(1, abs=1e-3)

    def test_strangers_are_unlike(self):
        assert max(alike(picture(0), picture(seed)) for seed in range(1, 9)) < ULTRASOUND

    def test_a_copy_that_is_darker_and_shaded_is_found(self):
        shaded = picture(0) * np.linspace(0.3, 0.8, 160)
        assert alike(picture(0), shaded.astype(np.uint8)) > DERMOSCOPY

    def test_a_copy_that_is_shifted_by_a_tenth_is_found(self):
        whole = picture(0, (150, 180))
        assert alike(whole[:128, :160], whole[12:140, 14:174]) > DERMOSCOPY

    def test_a_copy_in_another_size_is_found(self):
        assert alike(picture(0), picture(0)[::2, ::2]) > DERMOSCOPY

    def test_a_flat_image_is_like_nothing(self):
        assert alike(np.full((64, 64), 7, np.uint8), picture(0)) == pytest.approx(0, abs=1e-3)

    def test_volumes_are_compared_too(self):
        volume = picture(3, (35, 50, 36))
        assert alike(volume, volume) == pytest.approx(1, abs=1e-3)
        assert alike(volume, picture(4, (35, 50, 36))) < ULTRASOUND


class TestNearDuplicates:
    def test_pairs_are_named_likest_first(self):
        train = {str(seed): signature(picture(seed)) for seed in range(4)}
        noisy = picture(1) // 2 + picture(9) // 3
        test = {"copy": signature(picture(2)), "noisy": signature(noisy), "other": signature(picture(8))}
        found = near_duplicates(train, test, ULTRASOUND)
        assert [(pair.first, pair.second) for pair in found] == [("2", "copy"), ("1", "noisy")]

    def test_an_empty_side_has_no_pairs(self):
        assert near_duplicates({}, {"a": signature(picture(0))}, ULTRASOUND) == []
