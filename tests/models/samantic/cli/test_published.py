"""`samantic models history` and `rollback`."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from samantic.cli.main import app
from samantic.sam import published_folder
from samantic.training.model_store import ModelStore


@pytest.fixture
def a_store(tmp_path, monkeypatch):
    """The store of a server whose SAMANTIC_HOME is set, with two versions."""
    monkeypatch.setenv("SAMANTIC_HOME", str(tmp_path / "home"))
    store = ModelStore(published_folder("segsam"))
    for number in (1, 2):
        notes = {
            "parent": "bundled" if number == 1 else "0001",
            "learned_from": ["a"] * number,
            "held_out": ["z"],
            "new_classes": ["[bold]stent[/bold]"],
            "validation": {"before": {"mean_dice": 0.5}, "after": {"mean_dice": 0.5 + number / 10}},
        }
        store.publish(lambda path: path.write_text("weights"), notes)
    return store


def samantic(*arguments):
    return CliRunner().invoke(app, ["models", *map(str, arguments)], env={"COLUMNS": "200"})


def test_the_history_shows_every_version_and_marks_the_one_that_is_served(a_store):
    result = samantic("history")
    assert result.exit_code == 0, result.output
    lines = {line.split("│")[2].strip(): line for line in result.output.splitlines() if "│" in line}
    assert "0001" in lines["0002"] and "2 + 1 held out" in lines["0002"] and "0.500 -> 0.700" in lines["0002"]
    assert "[bold]stent[/bold]" in lines["0001"]
    assert a_store.current().notes["published_at"][:10] in lines["0001"]
    marked = [version for version, line in lines.items() if "*" in line]
    assert marked == ["0002"]


def test_a_rollback_without_a_version_goes_to_what_was_served_before(a_store):
    assert "Served from now on: 0001" in samantic("rollback").output
    assert a_store.current().version == "0001"
    assert "Served from now on: bundled" in samantic("rollback").output
    assert a_store.current() is None
    refused = samantic("rollback")
    assert refused.exit_code == 2
    assert "nothing before them" in refused.output
    assert "0002" in samantic("rollback", "0002").output
    assert a_store.current().version == "0002"


def test_a_version_that_is_not_there_is_refused_with_those_that_are(a_store):
    refused = samantic("rollback", "0009")
    assert refused.exit_code == 2
    assert "There is no version '0009'" in refused.output and "0001, 0002" in refused.output
    assert a_store.current().version == "0002"


@pytest.mark.usefixtures("a_store")
def test_another_home_can_be_named(tmp_path):
    result = samantic("history", "--home", tmp_path / "elsewhere")
    assert result.exit_code == 0
    assert "0001" not in result.output and "bundled" in result.output
    assert not (tmp_path / "elsewhere").exists()


def test_nobody_goes_back_while_a_training_is_running(a_store, monkeypatch):
    monkeypatch.setattr("samantic.training.model_store.PATIENCE_S", 0.05)
    with ModelStore(a_store.folder).alone():
        refused = samantic("rollback", "0001")
    assert refused.exit_code == 2
    assert "A training is running already" in refused.output
    assert a_store.current().version == "0002"
