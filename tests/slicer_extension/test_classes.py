from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from SamanticLib.answers import ClassCode, ClassEntry, CodedTerm
from SamanticLib.classes import ClassList
from SamanticLib.errors import SamanticError

from samantic.vocabulary import load_vocabulary, terminology_string


def term(code: Any) -> CodedTerm | None:
    return None if code is None else CodedTerm(code.scheme, code.value, code.meaning)


def entry(one: Any) -> ClassEntry:
    codes = (one.category, one.type, one.modifier, one.region, one.region_modifier)
    code = ClassCode(*(term(part) for part in codes))
    return ClassEntry(one.label, one.name, ", ".join(one.domains), one.synonyms, code, one.colour_rgb, one.description)


@pytest.fixture(scope="module")
def classes() -> ClassList:
    """Every class of the vocabulary, as the server tells it."""
    return ClassList(entry(one) for one in load_vocabulary())


def test_every_class_is_written_as_the_server_writes_it(classes: ClassList) -> None:
    for one in load_vocabulary():
        assert classes.terminology_entry(one.label) == terminology_string(one)
        assert classes.terminology_entry(one.name) == terminology_string(one)
        assert classes.color(one.name) == tuple(part / 255 for part in one.colour_rgb)


def test_every_class_is_the_first_hit_for_its_own_label_and_its_codes(classes: ClassList) -> None:
    for one in load_vocabulary():
        assert classes.search(one.label.upper())[0].name == one.name
        assert classes.search("+".join(one.code_values))[0].name == one.name


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("liv", "liver"),
        ("Hépàr", "liver"),
        ("left kid", "kidney_left"),
        ("kidney LEFT", "kidney_left"),
        ("ren sinister", "kidney_left"),
        ("64033007", "kidney_right"),
        ("10200004", "liver"),
        ("1020", "liver"),
    ],
)
def test_a_class_is_found_by_name_synonym_or_code_without_accents_and_case(
    classes: ClassList, text: str, first: str
) -> None:
    liver = next(one for one in classes if one.name == "liver")
    with_synonym = ClassList(
        [replace(one, synonyms=(*one.synonyms, "hepar")) if one is liver else one for one in classes]
    )
    assert with_synonym.search(text)[0].name == first


def test_what_begins_with_the_text_comes_before_what_only_holds_it(classes: ClassList) -> None:
    made = [
        replace(next(iter(classes)), name=name, label=name, synonyms=())
        for name in ("upper rib", "crib", "rib", "ribbon")
    ]
    assert [one.label for one in ClassList(made).search("rib")] == ["rib", "ribbon", "upper rib", "crib"]


def test_no_words_show_everything_and_nonsense_nothing(classes: ClassList) -> None:
    assert classes.search(" ") == tuple(classes)
    assert len(classes.search("", limit=5)) == 5
    assert classes.search("xyzzy") == ()
    assert classes.search("a" * 100_000) == ()


def test_other_alphabets_are_words_too(classes: ClassList) -> None:
    made = [replace(next(iter(classes)), name="liver", label="печень", synonyms=("肝臓",))]
    assert ClassList(made).search("ПЕЧ") == tuple(made)
    assert ClassList(made).by_label("肝臓") is made[0]


def test_an_unknown_class_is_refused_with_the_nearest(classes: ClassList) -> None:
    with pytest.raises(SamanticError, match=r"does not know a class 'livr'; did you mean 'liver'"):
        classes.by_label("livr")
    with pytest.raises(SamanticError, match="choose one from the list"):
        classes.color("xyzzy")
    assert "livr" not in classes
    assert "Left Kidney" in classes


def test_two_classes_of_one_name_are_refused(classes: ClassList) -> None:
    one = next(iter(classes))
    with pytest.raises(SamanticError, match="twice"):
        ClassList([one, one])


def test_separators_in_a_code_cannot_break_the_entry(classes: ClassList) -> None:
    one = next(iter(classes))
    broken = replace(one, code=replace(one.code, type=CodedTerm("SCT", "1", "a~b^c|d")))
    assert ClassList([broken]).terminology_entry(one.name).split("~")[2] == "SCT^1^a b c d"
