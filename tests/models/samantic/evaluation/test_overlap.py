import numpy as np
import pytest

from samantic.evaluation import dice, intersection_over_union


def _square(start: int, stop: int) -> np.ndarray:
    mask = np.zeros((10, 10), dtype=bool)
    mask[start:stop, start:stop] = True
    return mask


def test_equal_masks_agree_fully():
    assert dice(_square(2, 6), _square(2, 6)) == 1.0
    assert intersection_over_union(_square(2, 6), _square(2, 6)) == 1.0


def test_disjoint_masks_do_not_agree():
    assert dice(_square(0, 4), _square(5, 9)) == 0.0
    assert intersection_over_union(_square(0, 4), _square(5, 9)) == 0.0


def test_half_covered_masks_give_the_values_of_the_definition():
    upper, both = _square(2, 6), _square(2, 6)
    upper[4:] = False
    assert dice(upper, both) == pytest.approx(2 * 8 / (8 + 16))
    assert intersection_over_union(upper, both) == pytest.approx(8 / 16)


def test_two_empty_masks_agree_and_an_empty_one_misses_everything():
    empty = np.zeros((10, 10), dtype=bool)
    assert dice(empty, empty) == 1.0
    assert dice(empty, _square(2, 6)) == 0.0
