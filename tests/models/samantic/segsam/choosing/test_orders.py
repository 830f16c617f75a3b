from __future__ import annotations

import math

import numpy as np
import pytest

from samantic.segsam.choosing import hybrid_order, k_center_order, preselected, uncertainty_order

NOTHING = np.zeros((0, 2))


def test_the_most_uncertain_comes_first_and_equal_ones_keep_their_order() -> None:
    assert uncertainty_order(np.array([0.2, 0.9, 0.2, 0.5])) == [1, 3, 0, 2]


def test_k_center_goes_to_the_farthest_from_what_is_covered_and_then_from_that_too() -> None:
    points = np.array([[0.0, 0.1], [10.0, 0.0], [9.0, 0.0], [0.0, 6.0]])
    order = k_center_order(points, np.array([[0.0, 0.0]]))
    assert [place for place, _ in order] == [1, 3, 2, 0]
    assert [distance for _, distance in order] == pytest.approx([10, 6, 1, 0.1])


def test_with_nothing_covered_it_begins_in_the_middle() -> None:
    points = np.array([[0.0, 0.0], [4.0, 0.0], [5.0, 0.0], [11.0, 0.0]])
    assert [place for place, _ in k_center_order(points, NOTHING)] == [2, 3, 0, 1]


def test_equal_images_are_each_chosen_once() -> None:
    order = k_center_order(np.ones((5, 2)), np.ones((1, 2)))
    assert sorted(place for place, _ in order) == [0, 1, 2, 3, 4]
    assert k_center_order(np.ones((5, 2)), NOTHING, count=2)[0][1] == 0
    assert k_center_order(NOTHING, NOTHING) == []


def test_hybrid_looks_for_variety_among_the_uncertain_third_alone() -> None:
    generator = np.random.default_rng(3)
    uncertainties, points = generator.random(60), generator.random((60, 4))
    far_but_sure, far_and_unsure = int(uncertainties.argmin()), int(np.argsort(-uncertainties)[19])
    points[far_but_sure] = points[far_and_unsure] = 50.0
    order = hybrid_order(uncertainties, points, points[:1])
    uncertain = set(np.argsort(-uncertainties)[:20].tolist())
    assert order[0][0] == far_and_unsure
    assert {place for place, _ in order[:20]} == uncertain
    assert sorted(place for place, _ in order) == list(range(60))
    rest = [place for place, distance in order if math.isnan(distance)]
    assert len(rest) == 40 and list(uncertainties[rest]) == sorted(uncertainties[rest], reverse=True)


def test_of_few_images_hybrid_looks_at_eight_or_all() -> None:
    assert [preselected(count) for count in (1, 8, 12, 24, 90)] == [1, 8, 8, 8, 30]
    assert len(hybrid_order(np.ones(3), np.ones((3, 2)), NOTHING)) == 3
