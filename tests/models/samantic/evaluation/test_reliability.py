from __future__ import annotations

import numpy as np
import pytest

from samantic.evaluation.reliability import adaptive_reliability, calibration_error_with_interval, reliability


@pytest.fixture
def confidences() -> np.ndarray:
    return np.random.default_rng(0).uniform(0.2, 1.0, size=40_000)


@pytest.mark.parametrize("measure", [reliability, adaptive_reliability])
def test_a_calibrated_classifier_has_next_to_no_error(measure, confidences: np.ndarray):
    correct = np.random.default_rng(1).random(len(confidences)) < confidences
    assert measure(confidences, correct).expected_calibration_error < 0.015


@pytest.mark.parametrize("measure", [reliability, adaptive_reliability])
def test_an_overconfident_classifier_has_its_gap_as_error(measure, confidences: np.ndarray):
    correct = np.random.default_rng(1).random(len(confidences)) < confidences - 0.2
    assert measure(confidences, correct).expected_calibration_error == pytest.approx(0.2, abs=0.01)


def test_always_sure_and_right_in_three_of_four_is_off_by_a_quarter():
    assert reliability([1.0] * 4, [True, True, True, False]).expected_calibration_error == pytest.approx(0.25)


def test_bins_are_closed_above_and_those_without_answers_are_left_out():
    measured = reliability([0.0, 0.2, 0.21, 1.0], [False, False, True, True], bins=5)
    assert [(one.low, one.high, one.count) for one in measured.bins] == [
        (0.0, 0.2, 2),
        (0.2, 0.4, 1),
        (0.8, 1.0, 1),
    ]


def test_adaptive_bins_hold_about_as_many_answers_each(confidences: np.ndarray):
    counts = [one.count for one in adaptive_reliability(confidences, confidences > 0.5).bins]
    assert len(counts) == 15
    assert max(counts) - min(counts) <= 2


def test_the_interval_of_the_error_holds_the_error_and_narrows_with_more_answers(confidences: np.ndarray):
    correct = np.random.default_rng(1).random(len(confidences)) < confidences - 0.2
    few, many = (calibration_error_with_interval(confidences[:n], correct[:n], draws=200) for n in (100, 10_000))
    for measured, count in ((few, 100), (many, 10_000)):
        expected = reliability(confidences[:count], correct[:count]).expected_calibration_error
        assert measured.mean == pytest.approx(expected)
        assert measured.count == measured.groups == count
    assert 0.15 < many.low < many.mean < many.high < 0.25
    assert many.high - many.low < few.high - few.low


def test_answers_that_belong_together_are_drawn_together(confidences: np.ndarray):
    some = confidences[:1000]
    correct = np.random.default_rng(1).random(100) < some[:100]
    patients = [str(number) for number in range(100)]
    single = calibration_error_with_interval(some[:100], correct, draws=200)
    tenfold = calibration_error_with_interval(np.tile(some[:100], 10), np.tile(correct, 10), patients * 10, draws=200)
    assert (tenfold.low, tenfold.high) == pytest.approx((single.low, single.high))
    assert (tenfold.count, tenfold.groups) == (1000, 100)


def test_answers_without_confidences_are_refused():
    with pytest.raises(ValueError, match="needs a confidence"):
        reliability([], [])
    with pytest.raises(ValueError, match="0 to 1"):
        reliability([1.5], [True])
