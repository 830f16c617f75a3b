"""What the module brings beside code: icons, terminology, pictures of the panel, what the catalog reads."""

from __future__ import annotations

import importlib.util
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import slicer
from PySide6.QtGui import QImage
from tests.slicer_extension import qt_stand_ins
from tests.slicer_extension.draw_panel import EXTENSION, PICTURES, picture

from samantic.vocabulary import load_vocabulary
from samantic.vocabulary.slicer import color_table, terminology_json

ICONS = EXTENSION / "Resources" / "Icons"
DRAWINGS = sorted(ICONS.glob("*.svg"))
DOCS = EXTENSION.parents[1] / "docs"


def difference(one: QImage, other: QImage) -> float:
    """Return the mean difference of two pictures of the same size, 0 to 255."""
    assert one.size() == other.size()
    first, second = (bytes(image.convertToFormat(QImage.Format.Format_ARGB32).constBits()) for image in (one, other))
    return sum(abs(a - b) for a, b in zip(first, second, strict=True)) / len(first)


@pytest.mark.parametrize("drawing", DRAWINGS, ids=lambda path: path.stem)
def test_the_png_of_an_icon_shows_its_drawing(drawing: Path) -> None:
    spec = importlib.util.spec_from_file_location("render_icons", ICONS / "render_icons.py")
    assert spec is not None and spec.loader is not None
    render_icons = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(render_icons)
    with qt_stand_ins.installed():
        drawn = render_icons.render(drawing)
    assert difference(drawn, QImage(str(drawing.with_suffix(".png")))) < 2


@pytest.mark.parametrize("drawing", DRAWINGS, ids=lambda path: path.stem)
def test_icons_are_drawn_on_one_grid_with_round_lines(drawing: Path) -> None:
    root = ET.parse(drawing).getroot()
    assert root.get("viewBox") == "0 0 24 24"
    groups = list(root)
    assert groups and all(group.get("stroke-linecap") == "round" for group in groups)


def test_the_modules_icon_has_the_size_that_slicer_wants() -> None:
    icon = QImage(str(ICONS / "Samantic.png"))
    assert (icon.width(), icon.height()) == (128, 128)
    effect = EXTENSION.parent / "SegmentEditorSamantic" / "SegmentEditorSamanticLib" / "SegmentEditorEffect.png"
    assert effect.read_bytes() == (ICONS / "Samantic.png").read_bytes()


def test_every_png_has_its_drawing() -> None:
    assert {path.stem for path in ICONS.glob("*.png")} == {path.stem for path in DRAWINGS}


def test_the_terminology_and_the_colours_are_those_of_the_vocabulary() -> None:
    resources = EXTENSION / "Resources"
    assert (resources / "Samantic.term.json").read_text(encoding="utf-8") == terminology_json(load_vocabulary())
    assert (resources / "Samantic.ctbl").read_text(encoding="utf-8") == color_table(load_vocabulary())


def test_slicers_own_logic_reads_the_terminology() -> None:
    logic = slicer.vtkSlicerTerminologiesModuleLogic()
    context = logic.LoadTerminologyFromFile(str(EXTENSION / "Resources" / "Samantic.term.json"))
    assert context == "Segmentation category and type - Samantic"
    assert logic.GetNumberOfCategoriesInTerminology(context) == len({entry.category for entry in load_vocabulary()})


@pytest.mark.parametrize("name", PICTURES)
def test_the_pictures_in_the_documentation_show_the_panel_of_now(name: str) -> None:
    committed = DOCS / "pictures" / name
    assert committed.stat().st_size < 150_000
    with qt_stand_ins.installed():
        drawn = picture(PICTURES[name]())
    shown = QImage(str(committed))
    # Another font makes lines higher; another panel is higher by a widget and its margin.
    assert drawn.width() == shown.width() and abs(drawn.height() - shown.height()) < 30
    assert len({drawn.pixel(x, y) for x in range(0, drawn.width(), 3) for y in range(0, drawn.height(), 3)}) > 100


def test_the_catalog_entry_has_what_slicers_schema_asks_for() -> None:
    entry = json.loads((EXTENSION.parent / "Samantic.json").read_text(encoding="utf-8"))
    assert {"scm_url", "category", "build_dependencies"} <= set(entry)
    assert entry["category"] == "Segmentation"


def test_everything_that_is_built_is_in_the_tree() -> None:
    top = (EXTENSION.parent / "CMakeLists.txt").read_text(encoding="utf-8")
    for folder in re.findall(r"add_subdirectory\((\w+)\)", top):
        assert (EXTENSION.parent / folder / "CMakeLists.txt").is_file()
        assert (EXTENSION.parent / folder / f"{folder}.py").is_file()
    effect = EXTENSION.parent / "SegmentEditorSamantic"
    listed = re.findall(r"\$\{MODULE_NAME\}(\S*\.(?:py|png))", (effect / "CMakeLists.txt").read_text(encoding="utf-8"))
    assert len(listed) == 4
    assert all((effect / f"SegmentEditorSamantic{name}").is_file() for name in listed)
