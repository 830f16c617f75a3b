"""The extension runs on the Python 3.9 that Slicer brings, and only the panel speaks of Qt."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

EXTENSION = Path(__file__).parents[2] / "slicer_extension"
FILES = sorted(path for path in EXTENSION.rglob("*.py") if path.name != "render_icons.py")
MAY_USE_QT = ("panel", "shortcuts", "SegmentEditorEffect")
TOO_NEW = {"zip": "strict", "dataclass": "slots", "field": "kw_only"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_it_is_python_3_9(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).rpartition(".")[2]
            named = {one.arg for one in node.keywords}
            assert name not in TOO_NEW or TOO_NEW[name] not in named, f"{path.name}:{node.lineno}"
    assert unions_at_run_time(tree) == [], path.name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_only_the_panel_speaks_of_qt(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert not imported & {"qt", "ctk"} or path.stem.startswith(MAY_USE_QT)


@pytest.mark.parametrize("path", [path for path in FILES if path.stem.startswith("panel")], ids=lambda path: path.name)
def test_what_the_panel_draws_with_asks_no_server_and_counts_no_voxels(path: Path) -> None:
    if path.stem in ("panel_tools", "panel_strokes", "panel_desk", "panel_scene_images", "panel_effect"):
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    modules = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    modules |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert not modules & {"numpy", "requests", "vtk", "slicer", "SamanticLib.client", "SamanticLib.transport"}


def test_the_module_file_is_thin() -> None:
    assert len((EXTENSION / "Samantic" / "Samantic.py").read_text(encoding="utf-8").splitlines()) < 150


def test_ruff_finds_nothing_that_python_3_9_would_not_take() -> None:
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--target-version", "py39", str(EXTENSION)]
    if subprocess.run([*command[:3], "--version"], capture_output=True, check=False).returncode:
        pytest.skip("ruff is not installed; it comes with `make dev`")
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout


def unions_at_run_time(tree: ast.Module) -> list[int]:
    """Return the lines where `X | None` would be worked out: everywhere but in annotations, which are kept as text."""
    annotations = set()
    for node in ast.walk(tree):
        for name in ("annotation", "returns"):
            written = getattr(node, name, None)
            if written is not None:
                annotations |= {id(part) for part in ast.walk(written)}
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.BitOr)
        and id(node) not in annotations
        and any(isinstance(side, ast.Constant) and side.value is None for side in (node.left, node.right))
    ]
