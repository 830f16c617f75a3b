"""The vocabulary in 3D Slicer's own formats: terminology string, terminology file, colour table."""

from __future__ import annotations

import json
from typing import Any

from samantic.vocabulary.semantic_class import Code, SemanticClass
from samantic.vocabulary.vocabulary import Vocabulary

CONTEXT_NAME = "Segmentation category and type - Samantic"
REGION_CONTEXT_NAME = "Anatomic codes - DICOM master list"
_SCHEMA = "https://raw.githubusercontent.com/qiicr/dcmqi/master/doc/schemas/segment-context-schema.json#"


def terminology_string(semantic_class: SemanticClass) -> str:
    """Return the terminology entry of a segment as Slicer writes it into the segment's tag and into .seg.nrrd files."""
    return "~".join(
        (
            CONTEXT_NAME,
            _triple(semantic_class.category),
            _triple(semantic_class.type),
            _triple(semantic_class.modifier),
            REGION_CONTEXT_NAME,
            _triple(semantic_class.region),
            _triple(semantic_class.region_modifier),
        )
    )


def terminology_json(vocabulary: Vocabulary) -> str:
    """Return the text of a Slicer terminology file (`*.term.json`): categories, in them types, in them modifiers.

    Slicer keeps anatomic regions in a list of their own, so classes that differ only in their region (a cyst of the
    left or of the right kidney) are one entry here, in the colour of the first.
    """
    categories: dict[str, dict[str, Any]] = {}
    for entry in vocabulary:
        category = categories.setdefault(
            entry.category.value,
            {**_code_fields(entry.category), "showAnatomy": entry.category.value != _ANATOMICAL_STRUCTURE, "Type": {}},
        )
        kind = category["Type"].setdefault(entry.type.value, _code_fields(entry.type))
        label = entry.label if entry.region is None else entry.type.meaning.lower()
        display = {"recommendedDisplayRGBValue": list(entry.colour_rgb), "3dSlicerLabel": label}
        if entry.modifier is not None:
            kind.setdefault("Modifier", []).append({**_code_fields(entry.modifier), **display})
        elif "3dSlicerLabel" not in kind:
            kind.update(display)
    document = {
        "SegmentationCategoryTypeContextName": CONTEXT_NAME,
        "@schema": _SCHEMA,
        "SegmentationCodes": {
            "Category": [{**category, "Type": list(category["Type"].values())} for category in categories.values()]
        },
    }
    return json.dumps(document, indent=2) + "\n"


def color_table(vocabulary: Vocabulary) -> str:
    """Return the text of a Slicer colour table (`*.ctbl`): background at 0, then the classes from 1 in order."""
    rows = [(0, "background", 0, 0, 0, 0)]
    rows += [(value, entry.name, *entry.colour_rgb, 255) for value, entry in enumerate(vocabulary, start=1)]
    lines = ["# Color table file Samantic.ctbl", f"# {len(rows)} values"]
    lines += [" ".join(str(field) for field in row) for row in rows]
    return "\n".join(lines) + "\n"


_ANATOMICAL_STRUCTURE = "123037004"


def _triple(code: Code | None) -> str:
    return "^^" if code is None else f"{code.scheme}^{code.value}^{code.meaning}"


def _code_fields(code: Code) -> dict[str, Any]:
    return {"CodingSchemeDesignator": code.scheme, "CodeValue": code.value, "CodeMeaning": code.meaning}
