"""What all commands of `samantic train` share: their options, and how they say what went wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from samantic.cli.plain_errors import plain_errors

Run = Annotated[Path, typer.Argument(help="Folder of the run: state, metrics, sheets and the trained weights.")]
Steps = Annotated[int | None, typer.Option(help="Training steps in all.")]
BatchSize = Annotated[int | None, typer.Option(help="Pictures a step and process.")]
Seed = Annotated[int | None, typer.Option(help="Seed of everything drawn at random.")]
Precision = Annotated[str | None, typer.Option(help="no, bf16 or fp16.")]


@contextmanager
def said_plainly() -> Iterator[None]:
    """Errors of a run as sentences, and a stopped run as the exit code of its signal."""
    from samantic.besadiff.checkpoint import PartError
    from samantic.segsam.checkpoint import CheckpointError
    from samantic.training import SettingsError, TrainingError, TrainingStopped

    with plain_errors(SettingsError, TrainingError, CheckpointError, PartError, FileNotFoundError):
        try:
            yield
        except TrainingStopped as stopped:
            typer.echo(str(stopped))
            raise typer.Exit(128 + stopped.signal_number) from stopped
