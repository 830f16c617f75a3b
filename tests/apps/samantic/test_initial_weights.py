"""`--conf initial_weights`: a server may begin with other weights, and says at its start what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from samantic.app.launch import LaunchError, server_command
from samantic.app.lib.initial_weights import SEGSAM, InitialWeightsError
from samantic.bundled import bundled_weights


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
