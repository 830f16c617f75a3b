"""What SamanticLib may be written in and may import: it runs in the Python that Slicer bundles."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

EXTENSION = Path(__file__).parents[2] / "slicer_extension" / "Samantic"
FILES = sorted([*EXTENSION.glob("*.py"), *(EXTENSION / "SamanticLib").rglob("*.py")])
MRML_FACING = {"markups", "segmentation", "segmentation_files", "layers", "nodes", "segments", "redrawing"}
MRML_FACING |= {file.stem for file in FILES if file.stem.startswith("scene_")}
DESKTOP = {"Samantic", "shortcuts", *(file.stem for file in FILES if file.stem.startswith("panel"))}


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def test_there_is_a_library() -> None:
    assert {"geometry", "prompts", "classes"} <= {file.stem for file in FILES}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_is_written_in_python_3_9(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"), feature_version=(3, 9))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            keywords = {keyword.arg for keyword in node.keywords}
            name = getattr(node.func, "id", "")
            assert not (name == "zip" and "strict" in keywords), f"line {node.lineno}: zip(strict)"
            assert not (name == "dataclass" and "slots" in keywords), f"line {node.lineno}: dataclass(slots)"
            assert name not in ("aiter", "anext"), f"line {node.lineno}"
    # `X | Y` in annotations is only a text where they are not evaluated.
    future = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
    assert future or not any(isinstance(node, ast.arg) for node in ast.walk(tree)), "needs `annotations`"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_imports_what_slicer_bundles_and_touches_the_scene_and_the_screen_only_where_it_says(file: Path) -> None:
    names = set(imported(ast.parse(file.read_text(encoding="utf-8"))))
    assert not names & {"torch", "monai", "samantic", "trame", "trame_slicer", "SimpleITK", "scipy", "PIL", "nrrd"}
    if file.stem not in MRML_FACING | DESKTOP:
        assert not names & {"slicer", "vtk", "vtkmodules", "mrml"}
    if file.stem not in DESKTOP:
        assert not names & {"qt", "ctk", "PythonQt", "PySide6", "PyQt5"}
        assert "slicer.util" not in file.read_text(encoding="utf-8")
