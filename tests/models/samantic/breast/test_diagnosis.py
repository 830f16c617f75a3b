"""What the names of a label's segments say about a breast."""

from __future__ import annotations

import pytest

from samantic.breast.diagnosis import is_lesion_word, known_index, possible_diagnoses


@pytest.mark.parametrize(
    ("shown", "possible"),
    [
        (["benign"], (False, True, False)),
        (["Benign_breast-lesion"], (False, True, False)),
        (["breast_cyst"], (False, True, False)),
        (["carcinoma"], (False, False, True)),
        (["breast_lesion"], (False, True, True)),
        (["benign", "breast cancer"], (False, False, True)),
    ],
)
def test_words_leave_some_diagnoses_possible(shown: list[str], possible: tuple[bool, bool, bool]):
    assert possible_diagnoses(shown, is_empty=False) == possible
    assert all(is_lesion_word(word) for word in shown)


def test_a_label_without_a_lesion_is_of_a_normal_breast():
    assert possible_diagnoses([], is_empty=True) == (True, False, False)


def test_only_one_possible_diagnosis_is_a_known_one():
    assert known_index((False, True, False)) == 1
    assert known_index((False, True, True)) is None and known_index((True, True, True)) is None


def test_other_structures_are_no_lesions():
    assert not any(is_lesion_word(word) for word in ("pectoralis_major_muscle", "nipple", "liver", ""))
