"""`samantic train`: resumable training runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Train the project's own models. A run that was stopped goes on where it stopped.")


@app.callback()
def _group() -> None:
    """Keep `segsam` a sub-command while it is the only one."""


@app.command()
def segsam(
    run: Annotated[Path, typer.Argument(help="Folder of the run: checkpoints, metrics and the trained weights.")],
    steps: Annotated[int, typer.Option(min=1, help="Training steps in all.")] = 1500,
    batch_size: Annotated[int, typer.Option(min=1, help="Pictures a step.")] = 16,
    seed: Annotated[int, typer.Option(help="Seed of everything drawn at random.")] = 17,
    precision: Annotated[str, typer.Option(help="no, bf16 or fp16.")] = "bf16",
) -> None:
    """Train `segsam-tiny` on the public sets that SAMANTIC_DATA names.

    Example: samantic train segsam runs/tiny --steps 1500
    """
    from samantic.segsam.training.bundled import train_bundled
    from samantic.segsam.training.fit import FitOptions

    options = FitOptions(steps=steps, batch_size=batch_size, seed=seed, mixed_precision=precision)
    try:
        train_bundled(run, options)
    except FileNotFoundError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    typer.echo(f"Trained weights: {run / 'segsam.safetensors'}")


if __name__ == "__main__":
    app()
