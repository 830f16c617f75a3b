import numpy as np
import pytest

from samantic.evaluation import mean_with_interval, paired_difference


def test_the_interval_holds_the_mean_and_narrows_with_more_values():
    random = np.random.default_rng(0)
    few = mean_with_interval(random.normal(0.8, 0.1, size=20).tolist())
    many = mean_with_interval(random.normal(0.8, 0.1, size=2000).tolist())
    assert few.low < few.mean < few.high
    assert many.high - many.low < 0.3 * (few.high - few.low)


def test_slices_of_one_volume_count_as_one_group():
    values = [0.5] * 50 + [0.9] * 50
    groups = ["first"] * 50 + ["second"] * 50
    grouped, alone = mean_with_interval(values, groups), mean_with_interval(values)
    assert grouped.groups == 2
    assert (grouped.low, grouped.high) == pytest.approx((0.5, 0.9))
    assert alone.high - alone.low < 0.1


def test_the_same_values_give_the_same_interval():
    assert mean_with_interval([0.1, 0.5, 0.7]) == mean_with_interval([0.1, 0.5, 0.7])


def test_no_values_are_refused():
    with pytest.raises(ValueError, match="no values"):
        mean_with_interval([])


def test_one_patient_gets_no_interval():
    assert str(mean_with_interval([0.7, 0.8], ["only", "only"])) == "0.750 (one patient, no interval)"
    assert str(mean_with_interval([0.7, 0.7])) == "0.700 (0.700-0.700)"


def test_the_interval_of_a_paired_difference_is_not_widened_by_what_is_hard_for_both():
    random = np.random.default_rng(0)
    hard = random.uniform(0.2, 0.9, size=100)
    difference = paired_difference((hard + 0.05).tolist(), hard.tolist())
    assert difference.mean == pytest.approx(0.05)
    assert difference.high - difference.low < 1e-6
    assert mean_with_interval(hard.tolist()).high - mean_with_interval(hard.tolist()).low > 0.05


def test_unequal_rows_are_no_pairs():
    with pytest.raises(ValueError, match="2 and 1"):
        paired_difference([0.1, 0.2], [0.1])
