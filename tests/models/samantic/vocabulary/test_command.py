"""`samantic vocabulary …` as a person types it."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from samantic.cli.vocabulary import app

RESOURCES = Path(__file__).parents[4] / "slicer_extension" / "Samantic" / "Resources"


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


def test_list_shows_every_class(run, vocabulary):
    answer = run("list")
    assert answer.exit_code == 0
    assert all(f" {name} " in answer.output for name in vocabulary.names)


def test_list_takes_a_domain_and_words(run):
    answer = run("list", "--domain", "mr", "--search", "kid left")
    assert answer.exit_code == 0
    assert "kidney_left" in answer.output
    assert "kidney_right" not in answer.output
    assert "kidney_cyst_left" not in answer.output


def test_list_refuses_an_unknown_domain_and_words_that_nothing_has(run):
    assert "'mri' is no domain; allowed are ct, mr" in run("list", "--domain", "mri").output
    answer = run("list", "--search", "qqxxzz")
    assert answer.exit_code == 2
    assert "No class has the words 'qqxxzz'" in answer.output


def test_show_tells_codes_colour_synonyms_and_description(run, vocabulary):
    answer = run("show", "left kidney")
    assert answer.exit_code == 0
    for text in (
        "kidney_left",
        "Kidney (SCT 64033007)",
        "Left (SCT 7771000)",
        "46, 138, 184",
        "ren sinister",
        "ct, mr",
    ):
        assert text in answer.output
    assert vocabulary["kidney_left"].description.split(".")[0] in " ".join(answer.output.split())


def test_show_refuses_a_wrong_name_with_the_nearest(run):
    answer = run("show", "kidny_left")
    assert answer.exit_code == 2
    assert "did you mean kidney_left" in " ".join(answer.output.split())


def test_export_writes_the_files_that_the_extension_ships(run, tmp_path):
    answer = run("export", str(tmp_path / "out"))
    assert answer.exit_code == 0
    for path in (tmp_path / "out").iterdir():
        assert path.name in answer.output.replace("\n", "")
        assert path.read_bytes() == (RESOURCES / path.name).read_bytes()


def test_export_refuses_a_file_in_place_of_the_folder(run, tmp_path):
    (tmp_path / "file").write_text("kept")
    answer = run("export", str(tmp_path / "file"))
    assert answer.exit_code == 2
    assert "is a file, not a folder" in " ".join(answer.output.split())
    assert (tmp_path / "file").read_text() == "kept"
