"""`samantic train skin-photo`: a resumable training run of the network for ordinary photographs of skin."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from samantic.cli.training_runs import BatchSize, Precision, Run, Seed, Steps, said_plainly


def skin_photo(
    run: Run,
    config: Annotated[
        Path | None, typer.Option(help="YAML with network and options. [default: the packaged one]")
    ] = None,
    steps: Steps = None,
    batch_size: BatchSize = None,
    seed: Seed = None,
    precision: Precision = None,
) -> None:
    """Train the network that finds skin and lesions in ordinary photographs, on composites of public lesions.

    SAMANTIC_DATA names the lesions; skin and rooms are drawn. Ctrl-C ends a run after the step under way; the same
    command goes on from there.

    Example: samantic train skin-photo runs/skin-photo
    """
    from samantic.skinphoto.training import bundled
    from samantic.skinphoto.training.settings import SkinPhotoSettings

    with said_plainly():
        settings = SkinPhotoSettings.from_yaml(config).replacing(
            steps=steps, batch_size=batch_size, seed=seed, mixed_precision=precision
        )
        bundled.train_skin_photo(run, settings)
    typer.echo(f"Trained weights: {run / 'skin-photo.safetensors'}")
