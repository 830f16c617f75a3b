"""`samantic train generator`: a resumable training run of the generator of images with masks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from samantic.cli.training_runs import BatchSize, Precision, Run, Seed, Steps, said_plainly


def generator(
    run: Run,
    config: Annotated[
        Path | None, typer.Option(help="YAML with network and options. [default: the packaged one]")
    ] = None,
    steps: Steps = None,
    batch_size: BatchSize = None,
    seed: Seed = None,
    precision: Precision = None,
) -> None:
    """Train the generator of dermoscopic images with their masks on the public set that SAMANTIC_DATA names.

    Ctrl-C ends a run after the step under way; the same command goes on from there.

    Example: samantic train generator runs/generator
    """
    from samantic.besadiff.training import generator_rounds
    from samantic.besadiff.training.generator_settings import GeneratorSettings

    with said_plainly():
        settings = GeneratorSettings.from_yaml(config).replacing(
            steps=steps, batch_size=batch_size, seed=seed, mixed_precision=precision
        )
        generator_rounds.train(run, settings)
    typer.echo(f"Trained weights: {run / 'generator.safetensors'}")
