"""`samantic train breast`: a resumable training run of the network for breast ultrasound."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from samantic.cli.plain_errors import plain_errors
from samantic.cli.training_runs import BatchSize, Precision, Run, Seed, Steps, said_plainly


def breast(
    run: Run,
    config: Annotated[
        Path | None, typer.Option(help="YAML with network, loss and options. [default: the packaged one]")
    ] = None,
    steps: Steps = None,
    batch_size: BatchSize = None,
    seed: Seed = None,
    precision: Precision = None,
) -> None:
    """Train the network that outlines and judges lesions in the breast ultrasound that SAMANTIC_DATA names.

    Ctrl-C ends a run after the step under way; the same command goes on from there.

    Example: samantic train breast runs/breast
    """
    from samantic.breast.training import bundled
    from samantic.breast.training.settings import BreastSettings
    from samantic.sam import WeightsError

    with plain_errors(WeightsError), said_plainly():
        settings = BreastSettings.from_yaml(config).replacing(
            steps=steps, batch_size=batch_size, seed=seed, mixed_precision=precision
        )
        bundled.train_breast(run, settings)
    typer.echo(f"Trained weights: {run / bundled.CALIBRATED}")
