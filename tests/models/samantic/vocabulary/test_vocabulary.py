"""Finding a class by what a person types."""

from __future__ import annotations

import pytest

from samantic.vocabulary import UnknownClassError


def test_a_class_is_taken_by_its_name(vocabulary):
    assert vocabulary["kidney_left"].label == "left kidney"
    assert "kidney_left" in vocabulary
    assert "kidny_left" not in vocabulary
    assert [entry.name for entry in vocabulary] == list(vocabulary.names)
    assert len(vocabulary) == len(vocabulary.names)


@pytest.mark.parametrize(
    "query",
    [
        "kidney_left",
        "left kidney",
        "Kidney LEFT",
        " kidney  left ",
        "kidney-left",
        "ren sinister",
        "Rén Sinister",
        "64033007+7771000",
        "64033007 + 7771000",
    ],
)
def test_case_accents_order_of_words_and_language_do_not_matter(vocabulary, query):
    assert vocabulary.find(query).name == "kidney_left"


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("atlas", "vertebrae_C1"),
        ("7th rib left", "rib_left_7"),
        ("costa VII sinistra", "rib_left_7"),
        ("shoulder blade right", "scapula_right"),
        ("10200004", "liver"),
        ("367643001+64033007+24028007", "kidney_cyst_right"),
        ("naevus", "skin_lesion"),
        ("head of the hippocampus", "hippocampus_anterior"),
        ("pigment-network", "pigment_network"),
    ],
)
def test_synonyms_and_codes_find_their_class(vocabulary, query, name):
    assert vocabulary.find(query).name == name


def test_every_name_label_synonym_and_code_finds_its_own_class(vocabulary):
    for entry in vocabulary:
        for query in (entry.name, entry.label, *entry.synonyms, "+".join(entry.code_values)):
            assert vocabulary.find(query) is entry


def test_a_code_that_two_sides_share_is_refused_with_the_codes_that_tell_them_apart(vocabulary):
    with pytest.raises(UnknownClassError) as error:
        vocabulary.find("64033007")
    assert "64033007+24028007 (kidney_right)" in str(error.value)
    assert "64033007+7771000 (kidney_left)" in str(error.value)


@pytest.mark.parametrize("query", ["", "  ", "!?", "no such thing at all", "999999999", "+", "肝臓"])
def test_what_means_nothing_is_refused_in_one_sentence(vocabulary, query):
    with pytest.raises(UnknownClassError, match="There is no class"):
        vocabulary.find(query)


def test_a_wrong_name_is_refused_with_the_nearest_names(vocabulary):
    with pytest.raises(
        UnknownClassError, match="There is no class 'kidny_left' in the vocabulary; did you mean kidney_left"
    ):
        vocabulary["kidny_left"]


def test_a_very_long_wrong_name_is_refused_quickly_and_quoted_in_part(vocabulary):
    with pytest.raises(UnknownClassError) as error:
        vocabulary.find("kidney " * 200_000)
    assert len(str(error.value)) < 300


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("kidny_left", "kidney_left"),
        ("left_kidny", "kidney_left"),
        ("spln", "spleen"),
        ("Liver2", "liver"),
        ("ren sinstr", "kidney_left"),
        ("vertebra_L3", "vertebrae_L3"),
        ("skin-leison", "skin_lesion"),
        ("breast lession", "breast_lesion"),
    ],
)
def test_the_nearest_name_is_suggested_first(vocabulary, wrong, right):
    assert vocabulary.suggest(wrong)[0] == right


def test_a_misspelt_word_without_its_side_suggests_both_sides(vocabulary):
    assert set(vocabulary.suggest("kidny", limit=2)) == {"kidney_left", "kidney_right"}


def test_nothing_is_suggested_for_what_is_near_to_nothing(vocabulary):
    assert vocabulary.suggest("qqxxzz") == ()
    assert vocabulary.suggest("") == ()


def test_a_search_puts_the_plain_organ_before_its_parts_and_diseases(vocabulary):
    names = [entry.name for entry in vocabulary.search("kid")]
    assert set(names[:2]) == {"kidney_left", "kidney_right"}
    assert set(names[2:]) == {"kidney_cyst_left", "kidney_cyst_right"}


@pytest.mark.parametrize("query", ["left kidney", "kidney left", "kid left", "LEFT_KID"])
def test_a_search_takes_side_words_in_any_order(vocabulary, query):
    assert vocabulary.search(query)[0].name == "kidney_left"


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("liver", "liver"),
        ("bladder", "urinary_bladder"),
        ("kidny right", "kidney_right"),
        ("psoas right", "iliopsoas_right"),
        ("L3", "vertebrae_L3"),
        ("hippo", "hippocampus_anterior"),
        ("mole", "skin_lesion"),
        ("breast", "breast_lesion"),
    ],
)
def test_a_search_finds_parts_of_words_and_near_misses(vocabulary, query, name):
    assert vocabulary.search(query)[0].name == name


def test_a_search_keeps_to_its_limit_and_to_a_domain(vocabulary):
    assert len(vocabulary.search("left", limit=4)) == 4
    assert [entry.name for entry in vocabulary.search("lesion", domain="skin_photo")] == ["skin_lesion"]
    assert vocabulary.search("") == ()


def test_an_unknown_domain_is_refused_with_the_allowed_ones(vocabulary):
    with pytest.raises(UnknownClassError, match="'mri' is no domain; allowed are ct, mr, dermoscopy"):
        vocabulary.domain("mri")
