import pytest

from samantic.evaluation.clicks_to_target import clicks_to_reach, clicks_to_target


def test_the_first_click_that_reaches_the_target_counts_though_a_later_one_falls_below():
    assert clicks_to_reach([0.5, 0.85, 0.7, 0.9], 0.85) == 2
    assert clicks_to_reach([0.5, 0.85], 0.86) is None


def test_a_structure_that_does_not_get_there_is_no_success_on_the_last_click():
    cost = clicks_to_target([[0.9], [0.5, 0.9], [0.5, 0.6, 0.7]], target=0.8, limit=3)
    assert cost.reached.mean == pytest.approx(2 / 3)
    assert cost.median_clicks == 2
    assert cost.least_mean_clicks == pytest.approx((1 + 2 + 4) / 3)


def test_where_most_do_not_get_there_the_median_is_beyond_the_limit():
    cost = clicks_to_target([[0.9], [0.1, 0.2], [0.1, 0.2]], target=0.8, limit=2)
    assert cost.median_clicks is None
    assert cost.median_text == "more than 2"


def test_clicks_beyond_the_limit_do_not_count():
    assert clicks_to_target([[0.1, 0.2, 0.9]], target=0.8, limit=2).reached.mean == 0
