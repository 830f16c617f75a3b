"""`samantic train`: resumable training runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from samantic.cli.plain_errors import plain_errors

app = typer.Typer(help="Train the project's own models. A run that was stopped goes on where it stopped.")


@app.callback()
def _group() -> None:
    """Keep `segsam` a sub-command while it is the only one."""


@app.command()
def segsam(
    run: Annotated[Path, typer.Argument(help="Folder of the run: state, metrics, sheets and the trained weights.")],
    config: Annotated[
        Path | None, typer.Option(help="YAML with network, data shares and options. [default: the packaged one]")
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Training steps in all.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Pictures a step and process.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of everything drawn at random.")] = None,
    precision: Annotated[str | None, typer.Option(help="no, bf16 or fp16.")] = None,
    initial_weights: Annotated[
        Path | None, typer.Option(help="Start from these SEG-SAM weights (same parts and classes, any image size).")
    ] = None,
) -> None:
    """Train SEG-SAM on the public sets that SAMANTIC_DATA names; options given here go before those in the file.

    Ctrl-C ends a run after the step under way; the same command goes on from there.

    Example: samantic train segsam runs/tiny --steps 1500
    """
    from samantic.segsam.checkpoint import CheckpointError
    from samantic.segsam.training import bundled
    from samantic.segsam.training.settings import SegSamSettings
    from samantic.training import SettingsError, TrainingError, TrainingStopped

    with plain_errors(SettingsError, TrainingError, CheckpointError, FileNotFoundError):
        settings = SegSamSettings.from_yaml(config).replacing(
            initial_weights, steps=steps, batch_size=batch_size, seed=seed, mixed_precision=precision
        )
        try:
            bundled.train(run, settings)
        except TrainingStopped as stopped:
            typer.echo(str(stopped))
            raise typer.Exit(128 + stopped.signal_number) from stopped
    typer.echo(f"Trained weights: {run / 'segsam.safetensors'}")


if __name__ == "__main__":
    app()
