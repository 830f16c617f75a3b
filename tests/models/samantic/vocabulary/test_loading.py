"""The packaged class lists: complete, consistent and worded as promised."""

from __future__ import annotations

import csv
import re

import nibabel
import numpy as np
import pytest

from samantic.vocabulary import DOMAINS, load_vocabulary
from samantic.vocabulary.loading import vocabulary_from_documents

# Present in the label maps that the bundled model is trained on, besides lesions and hippocampi.
KNOWN_OUTSIDE_LABEL_MAPS = ("hippocampus_anterior", "hippocampus_posterior", "skin_lesion", "breast_lesion")
TRAINING_LABEL_MAPS = {
    "example_seg_v1_104cls.nii.gz": "labels_v1.csv",
    "example_seg_mr.nii.gz": "labels_mr.csv",
    "example_seg_dicom.nii.gz": "labels.csv",
}


def _sentences(text):
    return len(re.findall(r"[.](?=\s|$)", text))


def _documents(*classes, shared=()):
    documents = {domain: {"category": "SCT 123037004 Anatomical Structure", "classes": []} for domain in DOMAINS}
    documents["ct"]["classes"] = list(classes)
    documents["mr"]["shared"] = list(shared)
    return documents


def _entry(name, code, colour=(1, 2, 3), **more):
    defaults = {"label": name, "type": f"SCT {code} Thing", "colour": list(colour), "description": "A thing."}
    return {"name": name, **defaults, **more}


def test_the_vocabulary_is_read_once():
    assert load_vocabulary() is load_vocabulary()


def test_there_are_enough_ct_and_mr_structures_and_every_domain_has_classes(vocabulary):
    assert len(vocabulary.domain("ct")) >= 104
    assert len(vocabulary.domain("mr")) >= 50
    assert all(vocabulary.domain(domain) for domain in vocabulary.domains)


def test_dermoscopy_has_the_lesion_and_its_attributes(vocabulary):
    names = {entry.name for entry in vocabulary.domain("dermoscopy")}
    attributes = {"pigment_network", "negative_network", "streaks", "milia_like_cyst", "globules"}
    assert {"skin_lesion", *attributes} <= names


def test_a_class_of_two_kinds_of_images_is_one_class(vocabulary):
    assert vocabulary["liver"].domains == ("ct", "mr")
    assert vocabulary["skin_lesion"].domains == ("dermoscopy", "skin_photo")
    assert vocabulary["breast_lesion"].domains == ("breast_ultrasound",)


@pytest.mark.parametrize(
    ("file_name", "domain"), [("labels.csv", "ct"), ("labels_v1.csv", "ct"), ("labels_mr.csv", "mr")]
)
def test_every_structure_of_the_training_label_lists_has_a_class(vocabulary, label_names, file_name, domain):
    in_domain = {entry.name for entry in vocabulary.domain(domain)}
    assert set(label_names(file_name).values()) <= in_domain


@pytest.mark.parametrize("file_name", TRAINING_LABEL_MAPS)
def test_every_class_in_a_training_label_map_is_described_in_three_to_six_sentences(
    vocabulary, totalsegmentator_folder, label_names, file_name
):
    names = label_names(TRAINING_LABEL_MAPS[file_name])
    labels = np.asarray(nibabel.load(totalsegmentator_folder / file_name).dataobj)
    present = [names[int(value)] for value in np.unique(labels) if value]
    assert len(present) > 20
    for name in present:
        assert 3 <= _sentences(vocabulary[name].description) <= 6, name


@pytest.mark.parametrize("name", KNOWN_OUTSIDE_LABEL_MAPS)
def test_every_known_lesion_and_brain_part_is_described_in_three_to_six_sentences(vocabulary, name):
    assert 3 <= _sentences(vocabulary[name].description) <= 6


def test_every_class_has_a_sentence_of_its_own(vocabulary):
    descriptions = [entry.description for entry in vocabulary]
    assert len(set(descriptions)) == len(descriptions)
    assert all(len(text.split()) >= 8 and text.endswith(".") and text[0].isupper() for text in descriptions)


def test_left_and_right_are_told_apart_in_words_codes_and_colours(vocabulary):
    for left in vocabulary:
        if "_left" in left.name:
            right = vocabulary[left.name.replace("_left", "_right")] if _has_mirror(vocabulary, left.name) else None
            assert "left" in f"{left.label} {left.description}"
            if right is not None:
                assert "right" in right.label
                assert left.code_values != right.code_values
                assert left.colour_rgb != right.colour_rgb


def _has_mirror(vocabulary, name):
    return name.replace("_left", "_right") in vocabulary


def test_codes_and_colours_are_those_of_the_source_list(vocabulary, totalsegmentator_folder):
    corrected = {"subclavian_artery_left", "subclavian_artery_right", "atrial_appendage_left"}
    with (totalsegmentator_folder / "snomed_mapping.csv").open() as lines:
        rows = [row for row in csv.DictReader(lines) if row["Structure"] in vocabulary]
    assert len(rows) > 100
    for row in rows:
        entry = vocabulary[row["Structure"]]
        assert ",".join(map(str, entry.colour_rgb)) == row["DicomRGBColor"]
        expected = [
            row[f"{kind}CodeSequence.CodeValue" if "Region" not in kind else f"{kind}Sequence.CodeValue"]
            for kind in (
                "SegmentedPropertyType",
                "SegmentedPropertyTypeModifier",
                "AnatomicRegion",
                "AnatomicRegionModifier",
            )
        ]
        if entry.name not in corrected:
            assert entry.code_values == tuple(value for value in expected if value), entry.name


def test_names_and_codes_have_the_form_that_files_and_dicom_need(vocabulary):
    for entry in vocabulary:
        assert re.fullmatch(r"[a-z][A-Za-z0-9_]*", entry.name)
        assert all(0 <= part <= 255 for part in entry.colour_rgb)
        for code in (entry.category, entry.type, entry.modifier, entry.region, entry.region_modifier):
            if code is not None:
                assert code.scheme in ("SCT", "DCM", "99SAMANTIC")
                assert len(code.scheme) <= 16
                assert len(code.value) <= 16
                assert len(code.meaning) <= 64
                assert code.scheme != "SCT" or code.value.isdigit()
                assert not set("^~") & set(code.meaning)


def test_two_classes_with_the_same_words_are_refused():
    with pytest.raises(ValueError, match="'spleen' stands for both milt and spleen"):
        vocabulary_from_documents(_documents(_entry("milt", 1, synonyms=["spleen"]), _entry("spleen", 2, (4, 5, 6))))


def test_two_classes_with_the_same_code_are_refused():
    with pytest.raises(ValueError, match="one and two have the same code 7"):
        vocabulary_from_documents(_documents(_entry("one", 7), _entry("two", 7, (4, 5, 6))))


def test_two_classes_of_a_domain_with_the_same_colour_are_refused():
    with pytest.raises(ValueError, match=r"one and two have the same colour \(1, 2, 3\) in ct"):
        vocabulary_from_documents(_documents(_entry("one", 7), _entry("two", 8)))


def test_a_shared_class_that_no_file_defines_is_refused():
    with pytest.raises(ValueError, match="The domain mr shares the class 'two', which no file defines"):
        vocabulary_from_documents(_documents(_entry("one", 7), shared=["two"]))


def test_a_class_listed_twice_in_a_domain_is_refused():
    with pytest.raises(ValueError, match="The domain mr has the class 'one' twice"):
        vocabulary_from_documents(_documents(_entry("one", 7), shared=["one", "one"]))
