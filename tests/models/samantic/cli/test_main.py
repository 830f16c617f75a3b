from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from samantic import __version__


@pytest.fixture
def samantic() -> Path:
    return Path(sys.executable).with_name("samantic")


def test_help_names_every_command_and_shows_first_steps(run) -> None:
    code, output = run("--help")
    assert code == 0
    commands = ("serve", "demo", "infer", "vocabulary", "models", "cache", "train", "evaluate", "datasets")
    for word in (*commands, "samantic demo --serve"):
        assert word in output


@pytest.mark.parametrize("command", ["serve", "demo", "infer"])
def test_the_help_of_a_command_has_an_example(run, command: str) -> None:
    code, output = run(command, "--help")
    assert code == 0
    assert f"samantic {command}" in output.replace(f"Usage: samantic {command}", "")


def test_without_a_command_the_help_is_shown(run) -> None:
    code, output = run()
    assert code == 2
    assert "First steps" in output
    assert "Error" not in output


def test_the_version_is_that_of_the_package(run) -> None:
    assert run("--version") == (0, f"samantic {__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("inferr",), "Error: No such command 'inferr'. Did you mean 'infer'? See `samantic --help`.\n"),
        (("serve", "nowhere"), "Error: There is no folder 'nowhere'; name a folder with images."),
        (("serve", ".", "--port", "70000"), "Error: Invalid value for '--port': "),
        (("vocabulary", "show", "kidny_left"), "kidney_left"),
        (("serve", ".", "--models", "segsum"), "There is no model 'segsum'"),
    ],
)
def test_a_mistake_is_answered_with_one_line_and_exit_code_2(run, arguments: tuple[str, ...], sentence: str) -> None:
    code, output = run(*arguments)
    assert code == 2
    assert sentence in output
    assert output.count("\n") == 1
    assert "Traceback" not in output


def test_the_real_command_shows_its_help_without_loading_torch_or_the_server(samantic: Path) -> None:
    environment = {**os.environ, "PYTHONPROFILEIMPORTTIME": "1"}
    result = subprocess.run([samantic, "--help"], capture_output=True, text=True, env=environment, check=True)
    assert "Usage: samantic" in result.stdout
    for heavy in ("torch", "monai", "monailabel", "SimpleITK", "pydicom"):
        assert f"| {heavy}\n" not in result.stderr.replace("  ", "")


def test_the_real_command_answers_within_a_second_of_processor_time(samantic: Path) -> None:
    before = os.times()
    subprocess.run([samantic, "--help"], capture_output=True, check=True)
    after = os.times()
    spent = after.children_user - before.children_user + after.children_system - before.children_system
    assert spent < 1.0


def test_the_real_command_ends_a_mistake_with_exit_code_2_and_one_line(samantic: Path, tmp_path: Path) -> None:
    result = subprocess.run(
        [samantic, "infer", tmp_path / "ct.nii.gz", "--point", "1,2,3"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 2
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""
