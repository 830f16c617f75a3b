"""The command line in this process, and one small CT on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from samantic.cli.main import app
from samantic.imaging import Volume, write_volume

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `samantic ARGUMENTS` and returns its exit code and all that it printed."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "dumb")

    def run(*arguments: object) -> tuple[int, str]:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="samantic")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.output

    return run


@pytest.fixture
def ct(tmp_path: Path) -> Path:
    """A bright ball of radius 12 at (20, 26, 5) in dark water, (48, 56, 10) voxels."""
    i, j, k = np.mgrid[0:48, 0:56, 0:10]
    ball = (i - 20) ** 2 + (j - 26) ** 2 + (2 * (k - 5)) ** 2 < 144
    array = np.where(ball, 120, -80).astype(np.int16)
    path = tmp_path / "ct.nii.gz"
    write_volume(path, Volume(array, np.diag([-2.0, -2.0, 4.0, 1.0]), "CT"))
    return path


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    """A dark disc of radius 16 at x = 40, y = 24 on pale ground, 64 x 48 pixels."""
    x, y = np.mgrid[0:64, 0:48]
    disc = (x - 40) ** 2 + (y - 24) ** 2 < 256
    array = np.where(disc[..., None], (90, 60, 50), (220, 180, 160)).astype(np.uint8)[:, :, None]
    path = tmp_path / "mole.png"
    write_volume(path, Volume(array, np.diag([-1.0, -1.0, 1.0, 1.0]), "RGB", "photograph"))
    return path
