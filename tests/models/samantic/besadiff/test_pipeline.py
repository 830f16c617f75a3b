"""Parts behind one another, each of which may be another one."""

from __future__ import annotations

import numpy as np
import pytest

from samantic.besadiff import BesaDiffPipeline, LesionSegmenter, Refinement
from samantic.besadiff.answer import lesion_mask


class Redrawing:
    """A refiner that answers with a square, and accepts it or not."""

    def __init__(self, accepts: bool) -> None:
        self.accepts = accepts
        self.coarse: np.ndarray | None = None

    def refine(self, image: np.ndarray, coarse: np.ndarray, *, seed: int = 0) -> Refinement:  # noqa: ARG002
        self.coarse = coarse
        mask = np.zeros(image.shape[:2], bool)
        mask[10:20, 10:20] = True
        return Refinement(mask, mask.astype(np.float32), () if self.accepts else ("It is a square.",), {})


@pytest.mark.parametrize("accepts", [True, False])
def test_the_refined_mask_counts_as_much_as_the_ensemble_where_it_is_accepted(
    tiny_segmenter: LesionSegmenter, photograph: np.ndarray, accepts: bool
) -> None:
    photograph = np.resize(photograph, (256, 256, 3))
    refiner = Redrawing(accepts)
    answer = BesaDiffPipeline(tiny_segmenter, refiner).segment(photograph, members=2, steps=2, seed=3)
    alone = tiny_segmenter.segment(photograph, members=2, steps=2, seed=3)
    assert refiner.coarse is not None
    assert np.array_equal(refiner.coarse, alone.probability)
    square = np.zeros((256, 256), np.float32)
    square[10:20, 10:20] = 1
    expected = (alone.probability + square) / 2 if accepts else alone.probability
    np.testing.assert_allclose(answer.probability, expected)
    assert np.array_equal(answer.mask, lesion_mask(expected))
    assert answer.refined == accepts
    assert np.array_equal(answer.variance, alone.variance)


def test_the_refiner_works_on_a_square_however_large_the_photograph_is(
    tiny_segmenter: LesionSegmenter, photograph: np.ndarray
) -> None:
    refiner = Redrawing(accepts=True)
    large = np.kron(photograph, np.ones((4, 4, 1), np.uint8))
    answer = BesaDiffPipeline(tiny_segmenter, refiner).segment(large, members=2, steps=2)
    assert refiner.coarse is not None
    assert refiner.coarse.shape == (256, 256)
    assert answer.mask.shape == answer.variance.shape == (360, 480)
    # Where the square is, the refiner's word is half of the answer.
    assert answer.probability[16:26, 22:36].min() >= 0.5
