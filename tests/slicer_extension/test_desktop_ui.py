"""The forms of the desktop's panel: a Qt loader takes them, and they and the code speak of the same widgets."""

from __future__ import annotations

import ast
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import slicer.util
from SamanticLib.shortcuts_keys import KEYS
from tests.slicer_extension import qt_stand_ins
from tests.slicer_extension.draw_panel import EXTENSION, UI

LIBRARY = EXTENSION / "SamanticLib"
SERVED_CLASSES = {
    "QPushButton",
    "QToolButton",
    "QCheckBox",
    "QComboBox",
    "QLineEdit",
    "QTreeWidget",
    "QProgressBar",
    "ctkSearchBox",
    "ctkPathLineEdit",
    "qMRMLNodeComboBox",
}
"""Widgets that say or ask something; each must be in the hands of the code."""

FORMS = {
    "Samantic.ui": [path for path in LIBRARY.glob("panel*.py") if path.name != "panel_effect.py"],
    "SamanticEffect.ui": [LIBRARY / "panel_effect.py", LIBRARY / "panel_prompts.py"],
}


def widgets_of(form: str) -> dict[str, str]:
    """Return class by name of all widgets of a form."""
    return {widget.get("name", ""): widget.get("class", "") for widget in ET.parse(UI / form).iter("widget")}


def names_in_code(paths: list[Path]) -> tuple[set[str], set[str]]:
    """Return the names that code takes from `ui` as attributes, and all its texts."""
    attributes, texts = set(), set()
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("ui", "self._ui", "self.ui"):
                attributes.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.add(node.value)
    return attributes, texts


@pytest.mark.parametrize("form", FORMS)
def test_every_widget_that_the_code_names_is_in_the_form(form: str) -> None:
    attributes, _ = names_in_code(FORMS[form])
    assert attributes and attributes <= set(widgets_of(form)), attributes - set(widgets_of(form))


@pytest.mark.parametrize("form", FORMS)
def test_every_widget_of_the_form_that_asks_or_says_something_is_served(form: str) -> None:
    attributes, texts = names_in_code(FORMS[form])
    bars = {f"{name}Bar" for name in texts}  # built from the name of what they show
    asking = {name for name, kind in widgets_of(form).items() if kind in SERVED_CLASSES}
    assert asking and asking <= attributes | texts | bars, asking - attributes - texts - bars


@pytest.mark.parametrize("form", FORMS)
def test_a_qt_loader_makes_all_widgets_of_the_form(form: str) -> None:
    with qt_stand_ins.installed():
        widget = slicer.util.loadUI(str(UI / form))
        made = set(vars(slicer.util.childWidgetVariables(widget)))
    assert set(widgets_of(form)) <= made


@pytest.mark.parametrize("form", FORMS)
def test_no_two_widgets_of_a_form_have_the_same_name(form: str) -> None:
    names = [widget.get("name") for widget in ET.parse(UI / form).iter("widget")]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("form", FORMS)
def test_every_button_says_what_it_does_and_has_an_icon_that_is_there(form: str) -> None:
    for widget in ET.parse(UI / form).iter("widget"):
        if widget.get("class") not in ("QPushButton", "QToolButton"):
            continue
        properties = {one.get("name"): "".join(one.itertext()).strip() for one in widget.findall("property")}
        assert properties.get("toolTip"), widget.get("name")
        if "iconName" in properties:
            assert (EXTENSION / "Resources" / "Icons" / f"{properties['iconName']}.png").is_file()


def test_widgets_of_slicer_and_ctk_are_declared_with_their_headers() -> None:
    tree = ET.parse(UI / "Samantic.ui")
    used = {kind for kind in widgets_of("Samantic.ui").values() if re.match("qMRML|ctk", kind)}
    declared = {one.findtext("class"): one.findtext("header") for one in tree.iter("customwidget")}
    assert declared == {kind: f"{kind}.h" for kind in used}
    assert set(declared) == set(qt_stand_ins.CUSTOM_WIDGETS)


def test_the_scene_reaches_the_list_of_its_images() -> None:
    connection = ET.parse(UI / "Samantic.ui").find("connections/connection")
    assert connection is not None
    assert connection.findtext("signal") == "mrmlSceneChanged(vtkMRMLScene*)"
    assert connection.findtext("receiver") == "sceneImageComboBox"


def test_every_shortcut_is_of_a_widget_and_no_key_has_two() -> None:
    assert set(KEYS) <= set(widgets_of("Samantic.ui"))
    assert len(set(KEYS.values())) == len(KEYS)


@pytest.mark.parametrize("key", ["b", "f", "g", "h", "r", "t", "v", "[", "]", "{", "}"])
def test_keys_of_slicers_slice_views_are_left_alone(key: str) -> None:
    assert key not in {used.lower() for used in KEYS.values()}


def test_the_manual_lists_every_key() -> None:
    manual = (EXTENSION.parents[1] / "docs" / "slicer.md").read_text(encoding="utf-8")
    table = manual[manual.index("## Keys") : manual.index("## In Segment Editor")]
    listed = {key.strip() for row in table.splitlines() for cell in row.split("|") for key in cell.split(",")}
    assert set(KEYS.values()) <= listed, set(KEYS.values()) - listed
