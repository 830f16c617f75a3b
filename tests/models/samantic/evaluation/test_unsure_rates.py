import pytest

from samantic.evaluation.unsure_rates import unsure_rates

UNSURE = [False, False, True, True, False, True, False]
CORRECT = [True, True, True, False, False, None, None]


def test_answers_are_counted_by_whether_they_should_have_been_unsure():
    rates = unsure_rates(UNSURE, CORRECT)
    assert str(rates.right) == "1 of 3 (33%)"
    assert rates.wrong.share == rates.unknown.share == pytest.approx(0.5)


def test_a_sure_answer_about_an_unknown_class_is_wrong():
    assert unsure_rates(UNSURE, CORRECT).right_where_sure.share == pytest.approx(2 / 4)


def test_without_answers_of_a_kind_there_is_no_share():
    assert str(unsure_rates([True], [True]).wrong) == "none there"


def test_unequal_rows_are_refused():
    with pytest.raises(ValueError, match="2 answers and 1"):
        unsure_rates([True], [True, False])
