"""`--conf initial_weights`: a server may begin with other weights, and says at its start what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from samantic.app.launch import LaunchError, server_command
from samantic.app.lib.initial_weights import ALL, BESADIFF, BREAST, SEGSAM, InitialWeightsError
from samantic.bundled import bundled_weights
from samantic.bundled.catalogue import NAMES


def test_without_it_the_bundled_weights_are_the_first():
    assert SEGSAM.of({}) == bundled_weights("segsam-tiny")


def test_a_checkpoint_is_taken_by_its_absolute_path(start: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(start.parent)
    assert SEGSAM.of({"initial_weights": start.name}) == start


@pytest.mark.parametrize(
    ("content", "told"),
    [(None, r"there is no file '.*mine\.safetensors'; name a"), (b"no weights", "mine.safetensors cannot be read")],
)
def test_a_file_that_is_no_checkpoint_is_refused_before_the_server_starts(
    studies: Path, tmp_path: Path, content: bytes | None, told: str
):
    path = tmp_path / "mine.safetensors"
    if content is not None:
        path.write_bytes(content)
    conf = {"models": "segsam", "initial_weights": str(path)}
    with pytest.raises(InitialWeightsError, match=told):
        SEGSAM.of(conf)
    with pytest.raises(LaunchError, match=told):
        server_command(studies, "127.0.0.1", 8000, conf, tmp_path / "home")
    assert not (tmp_path / "home").exists()


def test_weights_of_no_model_are_refused_before_the_server_starts(studies: Path, tmp_path: Path, start: Path):
    with pytest.raises(LaunchError, match=r"no weights called 'chest_weights'; use .*breast_weights"):
        server_command(studies, "127.0.0.1", 8000, {"chest_weights": str(start)}, tmp_path / "home")


def test_a_model_without_weights_is_said_in_the_log_and_found_where_a_file_is_named(
    start: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr("samantic.app.lib.initial_weights.bundled_models", lambda: ("segsam-tiny",))
    assert SEGSAM.found({}) == bundled_weights("segsam-tiny") and not caplog.records
    assert BESADIFF.found({}) is None
    (line,) = caplog.messages
    assert "The model besadiff is not offered" in line and "--conf besadiff_weights FILE" in line
    assert BREAST.found({}) is None and len(caplog.messages) == 2
    assert "The model breast is not offered" in caplog.messages[1]
    assert SEGSAM.found({"initial_weights": str(start)}) == start
    with pytest.raises(InitialWeightsError, match=r"breast_weights: start\.safetensors is no network for breast"):
        BREAST.found({"breast_weights": str(start)})


def test_every_model_of_a_server_begins_with_weights_of_the_catalogue_and_every_one_of_them_is_used():
    assert len({weights.key for weights in ALL}) == len({weights.task for weights in ALL}) == len(ALL)
    # The generator draws pictures; it answers no request of a server.
    assert {weights.bundled for weights in ALL} >= set(NAMES) - {"besadiff-generator"}
