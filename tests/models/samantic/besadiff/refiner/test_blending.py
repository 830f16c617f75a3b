from __future__ import annotations

import numpy as np
import pytest

from samantic.besadiff.refiner import BlendOptions, blended
from samantic.besadiff.refiner.blending import mask_of

WITHOUT_COARSE = {"coarse_share": 0.0, "least_band": 2.0}


def test_far_from_the_border_sam_alone_counts(lesion: np.ndarray) -> None:
    everywhere = np.ones(lesion.shape, np.float32)
    options = BlendOptions(band=0.25, share=0.5, **WITHOUT_COARSE)
    mixed = blended(lesion.astype(np.float32), lesion, everywhere, lesion, options)
    assert mixed[0, 0] == 0
    assert mixed[30, 44] == 1


def test_on_the_border_the_diffusion_has_its_share(lesion: np.ndarray) -> None:
    nothing = np.zeros(lesion.shape, np.float32)
    options = BlendOptions(band=0.3, share=0.5, **WITHOUT_COARSE)
    mixed = blended(lesion.astype(np.float32), lesion, nothing, lesion, options)
    border = mixed[30, 44 + 14]
    assert border == pytest.approx(0.5, abs=0.1)
    assert border < mixed[30, 44 + 12] < 1


def test_a_larger_share_moves_the_border_towards_the_diffusion(lesion: np.ndarray) -> None:
    sam = lesion.astype(np.float32)
    larger = np.zeros_like(sam)
    larger[30 - 20 : 30 + 20, 44 - 20 : 44 + 20] = 1
    areas = [
        (blended(sam, lesion, larger, lesion, BlendOptions(share=share, **WITHOUT_COARSE)) > 0.5).sum()
        for share in (0.0, 0.7, 1.0)
    ]
    assert areas[0] == lesion.sum()
    assert areas[0] < areas[1] < areas[2]


def test_where_both_are_unsure_the_coarse_mask_decides(lesion: np.ndarray) -> None:
    unsure = np.full(lesion.shape, 0.5, np.float32)
    mixed = blended(unsure, lesion, unsure, lesion, BlendOptions())
    assert mixed[30, 44] > 0.5
    assert mixed[0, 0] < 0.5
    sure = (~lesion).astype(np.float32)
    assert blended(sure, ~lesion, sure, lesion, BlendOptions())[30, 44] < 0.5


def test_pictures_of_different_sizes_are_refused(lesion: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"must have one shape, but they are \(3, 3\) and \(64, 80\)"):
        blended(lesion.astype(np.float32), lesion, np.zeros((3, 3), np.float32), lesion, BlendOptions())


def test_the_mask_is_one_part_without_holes() -> None:
    probability = np.zeros((30, 30), np.float32)
    probability[5:20, 5:20] = 1
    probability[10, 10] = 0
    probability[25:27, 25:27] = 1
    expected = np.zeros((30, 30), bool)
    expected[5:20, 5:20] = True
    assert np.array_equal(mask_of(probability), expected)
    assert not mask_of(np.zeros((5, 5), np.float32)).any()


@pytest.mark.parametrize("options", [{"share": 1.5}, {"coarse_share": -0.1}, {"band": -1.0}, {"least_band": 0.0}])
def test_impossible_options_are_refused(options: dict) -> None:
    with pytest.raises(ValueError, match=r"must lie between 0 and 1|needs a width above 0"):
        BlendOptions(**options)
