import pytest

from samantic.evaluation.class_confusion import class_confusion

TRUTH = ["liver"] * 8 + ["spleen"] * 2
RANKINGS = [["liver"]] * 6 + [["spleen", "liver"]] * 2 + [["liver", "aorta", "spleen"], ["aorta", "liver", "stomach"]]


def test_rows_are_true_and_columns_are_given_names():
    confusion = class_confusion(TRUTH, RANKINGS)
    assert confusion.true_names == ("liver", "spleen")
    assert confusion.given_names == ("liver", "spleen", "aorta")
    assert confusion.matrix.tolist() == [[6, 2, 0], [1, 0, 1]]


def test_the_macro_figure_counts_classes_alike_and_the_others_count_structures():
    confusion = class_confusion(TRUTH, RANKINGS)
    assert confusion.top1 == pytest.approx(0.6)
    assert confusion.top3 == pytest.approx(0.9)
    assert confusion.macro_top1 == pytest.approx((6 / 8 + 0) / 2)


def test_always_saying_the_commonest_class_is_right_as_often_as_it_is_there():
    confusion = class_confusion(TRUTH, RANKINGS)
    assert confusion.commonest_top1 == pytest.approx(0.8)
    assert confusion.commonest_macro_top1 == pytest.approx(0.5)


@pytest.mark.parametrize(("truth", "rankings"), [([], []), (["liver"], []), (["liver"], [[]])])
def test_a_structure_without_a_ranking_is_refused(truth: list, rankings: list):
    with pytest.raises(ValueError, match="needs a ranking"):
        class_confusion(truth, rankings)
