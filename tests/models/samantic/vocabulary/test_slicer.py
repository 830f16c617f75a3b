"""What 3D Slicer loads is generated from the vocabulary and kept in step with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from samantic.vocabulary import color_table, terminology_json, terminology_string
from samantic.vocabulary.slicer_export import COLOR_TABLE_FILE, TERMINOLOGY_FILE, export_for_slicer

RESOURCES = Path(__file__).parents[4] / "slicer_extension" / "Samantic" / "Resources"
REGENERATE = "run: samantic vocabulary export slicer_extension/Samantic/Resources"


@pytest.fixture
def terminology(vocabulary):
    return json.loads(terminology_json(vocabulary))


def _terms(terminology):
    for category in terminology["SegmentationCodes"]["Category"]:
        for kind in category["Type"]:
            yield category, kind, None
            for modifier in kind.get("Modifier", ()):
                yield category, kind, modifier


def test_the_committed_terminology_is_the_vocabulary_of_today(vocabulary):
    assert (RESOURCES / TERMINOLOGY_FILE).read_text(encoding="utf-8") == terminology_json(vocabulary), REGENERATE


def test_the_committed_color_table_is_the_vocabulary_of_today(vocabulary):
    assert (RESOURCES / COLOR_TABLE_FILE).read_text(encoding="utf-8") == color_table(vocabulary), REGENERATE


def test_exporting_writes_exactly_the_two_files(vocabulary, tmp_path):
    paths = export_for_slicer(vocabulary, tmp_path / "new" / "folder")
    assert sorted((tmp_path / "new" / "folder").iterdir()) == sorted(paths)
    assert paths[0].read_text(encoding="utf-8") == terminology_json(vocabulary)


def test_the_terminology_has_what_slicer_insists_on(terminology):
    # vtkSlicerTerminologiesModuleLogic takes a file as a segmentation context by its schema and its context name.
    assert terminology["@schema"].endswith("/dcmqi/master/doc/schemas/segment-context-schema.json#")
    assert terminology["SegmentationCategoryTypeContextName"] == "Segmentation category and type - Samantic"
    for category, kind, modifier in _terms(terminology):
        for code in (category, kind, modifier):
            if code is not None:
                assert all(code[key] for key in ("CodingSchemeDesignator", "CodeValue", "CodeMeaning"))
        coloured = modifier if modifier is not None else kind
        if modifier is not None or "Modifier" not in kind:
            assert len(coloured["recommendedDisplayRGBValue"]) == 3
            assert coloured["3dSlicerLabel"]


def test_no_code_is_twice_on_one_level_of_the_terminology(terminology):
    triples = [
        (category["CodeValue"], kind["CodeValue"], modifier and modifier["CodeValue"])
        for category, kind, modifier in _terms(terminology)
    ]
    assert len(set(triples)) == len(triples)


def test_every_class_has_its_term(vocabulary, terminology):
    triples = {
        (category["CodeValue"], kind["CodeValue"], modifier and modifier["CodeValue"])
        for category, kind, modifier in _terms(terminology)
    }
    for entry in vocabulary:
        assert (entry.category.value, entry.type.value, entry.modifier and entry.modifier.value) in triples


def test_a_color_table_line_is_value_name_and_four_numbers(vocabulary):
    lines = [line for line in color_table(vocabulary).splitlines() if not line.startswith("#")]
    assert lines[0] == "0 background 0 0 0 0"
    for value, line in enumerate(lines):
        fields = line.split(" ")
        assert len(fields) == 6
        assert fields[0] == str(value)
    assert lines[1:] == [
        f"{value} {entry.name} {' '.join(map(str, entry.colour_rgb))} 255"
        for value, entry in enumerate(vocabulary, start=1)
    ]


def test_the_terminology_string_of_a_paired_organ_has_its_side(vocabulary):
    assert terminology_string(vocabulary["kidney_left"]) == (
        "Segmentation category and type - Samantic"
        "~SCT^123037004^Anatomical Structure~SCT^64033007^Kidney~SCT^7771000^Left"
        "~Anatomic codes - DICOM master list~^^~^^"
    )


def test_the_terminology_string_of_a_cyst_has_its_region(vocabulary):
    assert terminology_string(vocabulary["kidney_cyst_right"]).endswith(
        "~SCT^367643001^Cyst~^^~Anatomic codes - DICOM master list~SCT^64033007^Kidney~SCT^24028007^Right"
    )


def test_every_terminology_string_has_seven_parts_and_is_unique(vocabulary):
    strings = [terminology_string(entry) for entry in vocabulary]
    assert len(set(strings)) == len(strings)
    assert all(len(text.split("~")) == 7 for text in strings)
