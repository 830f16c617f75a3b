"""Every name of Slicer and of Qt that the extension uses, and where it is documented.

Desktop Slicer cannot run here, so a wrong name would not be noticed until somebody opens the module. A new one fails
these tests until it stands in the lists below. What slicer-core and PySide6 have is looked up in them.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import PySide6.QtCore
import PySide6.QtGui
import PySide6.QtWidgets
import pytest
import slicer
import slicer.util

EXTENSION = Path(__file__).parents[2] / "slicer_extension"
FILES = sorted(path for path in EXTENSION.rglob("*.py") if path.name != "render_icons.py")
SCRIPTED = [path for path in FILES if path.parent.name != "SamanticLib"]
"""What Slicer itself loads: the modules, the effect, the self-tests."""

ROOTS = ("slicer", "qt", "ctk", "qSlicerSegmentationsEditorEffectsPythonQt")

UTIL = "slicer-core, slicer/util.py (the file of Slicer itself)"
MRML = "slicer-core, the class of Slicer itself"
QT = "Qt reference, checked against PySide6"
DESKTOP = "desktop only, not in slicer-core: "

KNOWN = {
    "qt.QBrush": QT,
    "qt.QColor": QT,
    "qt.QIcon": QT,
    "qt.QKeySequence": QT,
    "qt.QPainter": QT,
    "qt.QPainter.Antialiasing": QT,
    "qt.QPen": QT,
    "qt.QPixmap": QT,
    "qt.QSettings": QT,
    "qt.QShortcut": QT,
    "qt.QSize": QT,
    "qt.QTimer": QT,
    "qt.QTreeWidgetItem": QT,
    "qt.Qt.UserRole": QT,
    "slicer.app.processEvents": DESKTOP + "QCoreApplication; in the self-test",
    "slicer.app.connect": DESKTOP + "signal startupCompleted() of qSlicerApplication, as in Slicer's extra effects",
    "slicer.app.layoutManager": DESKTOP + "script repository, 'Access slice views'",
    "slicer.modules.terminologies.logic": DESKTOP + "qSlicerAbstractModule::logic",
    "slicer.mrmlScene.Clear": DESKTOP + "vtkMRMLScene; in the self-test",
    "slicer.qMRMLSegmentEditorWidget": DESKTOP + "script repository, 'Run Segment Editor effect'; in the self-test",
    "slicer.mrmlScene": DESKTOP + "script repository, everywhere",
    "slicer.util.childWidgetVariables": UTIL,
    "slicer.util.confirmOkCancelDisplay": UTIL,
    "slicer.util.delayDisplay": UTIL,
    "slicer.util.exportNode": UTIL,
    "slicer.util.getModuleWidget": UTIL,
    "slicer.util.loadUI": UTIL,
    "slicer.util.loadVolume": UTIL,
    "slicer.util.mainWindow": UTIL,
    "slicer.util.modulePath": UTIL,
    "slicer.util.selectModule": UTIL,
    "slicer.util.setSliceViewerLayers": UTIL,
    "slicer.util.showStatusMessage": UTIL,
    "slicer.vtkMRMLScene": MRML,
    "slicer.vtkMRMLScene.EndCloseEvent": MRML,
    "slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole": MRML,
    "slicer.vtkMRMLTransformNode.GetMatrixTransformBetweenNodes": MRML,
    "slicer.vtkMRMLTransformNode.GetTransformBetweenNodes": MRML,
    "slicer.vtkOrientedImageData": MRML,
    "slicer.vtkSegment": MRML,
    "slicer.vtkSegmentation": MRML,
    "qSlicerSegmentationsEditorEffectsPythonQt.qSlicerSegmentEditorScriptedEffect": DESKTOP
    + "Slicer's SegmentEditorExtraEffects, every scripted effect",
}

SCRIPTED_MODULE = DESKTOP + "Slicer's template for scripted modules, ScriptedLoadableModule.py"
SCRIPTED_EFFECT = DESKTOP + "Slicer's template for scripted effects, AbstractScriptedSegmentEditorEffect.py"

KNOWN_MEMBERS = {
    "callerInteractor.GetEventPosition": "vtkRenderWindowInteractor",
    "effect.self": SCRIPTED_EFFECT,
    "effect.setPythonSource": SCRIPTED_EFFECT,
    "cloned.setPythonSource": SCRIPTED_EFFECT,
    "manager.sliceViewNames": DESKTOP + "script repository, 'Access slice views'",
    "manager.sliceWidget": DESKTOP + "script repository, 'Access slice views'",
    "node.GetSegmentationNode": "vtkMRMLSegmentEditorNode",
    "node.GetSelectedSegmentID": "vtkMRMLSegmentEditorNode",
    "node.GetSourceVolumeNode": "vtkMRMLSegmentEditorNode",
    "parent.acknowledgementText": SCRIPTED_MODULE,
    "parent.categories": SCRIPTED_MODULE,
    "parent.contributors": SCRIPTED_MODULE,
    "parent.dependencies": SCRIPTED_MODULE,
    "parent.helpText": SCRIPTED_MODULE,
    "parent.hidden": SCRIPTED_MODULE,
    "parent.title": SCRIPTED_MODULE,
    "scriptedEffect.name": SCRIPTED_EFFECT,
    "scriptedEffect.perSegment": SCRIPTED_EFFECT,
    "scriptedEffect.requireSegments": SCRIPTED_EFFECT,
    "self.delayDisplay": SCRIPTED_MODULE,
    "self.layout.addWidget": SCRIPTED_MODULE,
    "self.resourcePath": SCRIPTED_MODULE,
    "self.scriptedEffect.addOptionsWidget": SCRIPTED_EFFECT,
    "self.scriptedEffect.parameterSetNode": SCRIPTED_EFFECT,
    "self.scriptedEffect.saveStateForUndo": SCRIPTED_EFFECT,
    "self.setUp": SCRIPTED_MODULE,
    "viewWidget.className": SCRIPTED_EFFECT,
    "viewWidget.mrmlSliceNode": DESKTOP + "qMRMLSliceWidget",
    "widget.mrmlSliceNode": DESKTOP + "qMRMLSliceWidget",
    "widget.setMRMLScene": DESKTOP + "qMRMLWidget",
    "widget.sliceView": DESKTOP + "qMRMLSliceWidget",
}
"""What is asked of objects that Slicer hands over."""


def chains(path: Path) -> set[str]:
    """Return the longest dotted names of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and id(node) not in inner:
            text = ast.unparse(node)
            if all(part.isidentifier() for part in text.split(".")):
                found.add(text)
    # `slicer.a.b().c` is a call in the middle: what comes before it counts by itself.
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            text = ast.unparse(node.func)
            if all(part.isidentifier() for part in text.split(".")):
                found.add(text)
    return found


def used(paths: list[Path]) -> set[str]:
    """Return the dotted names of several files that begin with Slicer or Qt."""
    return {name for path in paths for name in chains(path) if name.split(".")[0] in ROOTS}


def found_in(start: Any, names: list[str]) -> bool:
    for name in names:
        if not hasattr(start, name):
            return False
        start = getattr(start, name)
    return True


def test_no_name_is_used_that_is_not_listed() -> None:
    assert FILES and used(FILES) <= set(KNOWN), sorted(used(FILES) - set(KNOWN))


def test_no_name_is_listed_that_is_not_used() -> None:
    assert set(KNOWN) <= used(FILES), sorted(set(KNOWN) - used(FILES))


def test_nothing_is_asked_of_slicers_objects_that_is_not_listed() -> None:
    roots = {name.rpartition(".")[0] for name in KNOWN_MEMBERS} - {"self"}
    asked = {name for path in SCRIPTED for name in chains(path) if name.rpartition(".")[0] in roots}
    assert asked <= set(KNOWN_MEMBERS), sorted(asked - set(KNOWN_MEMBERS))
    everything = {name for path in SCRIPTED for name in chains(path)}
    assert set(KNOWN_MEMBERS) <= everything, sorted(set(KNOWN_MEMBERS) - everything)


@pytest.mark.parametrize("name", [name for name, where in KNOWN.items() if where in (UTIL, MRML)])
def test_names_of_slicer_core_are_there(name: str) -> None:
    assert found_in(slicer, name.split(".")[1:])


@pytest.mark.parametrize("name", [name for name, where in KNOWN.items() if where == QT])
def test_names_of_qt_are_there(name: str) -> None:
    parts = (PySide6.QtCore, PySide6.QtGui, PySide6.QtWidgets)
    assert any(found_in(part, name.split(".")[1:]) for part in parts)


@pytest.mark.parametrize("name", [name for name, where in KNOWN_MEMBERS.items() if where.startswith("vtkMRML")])
def test_members_of_mrml_nodes_are_there(name: str) -> None:
    assert found_in(slicer, [KNOWN_MEMBERS[name], name.split(".")[1]])


def test_terminologies_can_be_loaded_by_their_logic() -> None:
    assert hasattr(slicer.vtkSlicerTerminologiesModuleLogic, "LoadTerminologyFromFile")
