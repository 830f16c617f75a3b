"""`samantic train student`: a resumable training run of a small automatic model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from samantic.cli.training_runs import BatchSize, Precision, Run, Seed, Steps, said_plainly


def student(
    run: Run,
    model: Annotated[
        str,
        typer.Option(help="student-dermoscopy, student-breast-ultrasound or student-hippocampus: its settings."),
    ] = "student-dermoscopy",
    config: Annotated[Path | None, typer.Option(help="YAML with settings of your own, in place of --model.")] = None,
    teacher: Annotated[
        Path | None,
        typer.Option(help="SEG-SAM checkpoint to learn from. [default: MedSAM where downloaded, else the bundled one]"),
    ] = None,
    steps: Steps = None,
    batch_size: BatchSize = None,
    seed: Seed = None,
    precision: Precision = None,
    initial_weights: Annotated[
        Path | None, typer.Option(help="Start from these weights of the same configuration.")
    ] = None,
) -> None:
    """Train a Mamba student, taught by a promptable model, on the public set that its settings name.

    Ctrl-C ends a run after the step under way; the same command goes on from there.

    Example: samantic train student runs/breast --model student-breast-ultrasound
    """
    from samantic.cli.plain_errors import plain_errors
    from samantic.sam import WeightsError
    from samantic.student import StudentError
    from samantic.student.training.bundled import train_student
    from samantic.student.training.settings import StudentSettings

    with said_plainly(), plain_errors(StudentError, WeightsError):
        settings = StudentSettings.packaged(model) if config is None else StudentSettings.from_yaml(config)
        settings = settings.replacing(steps=steps, batch_size=batch_size, seed=seed, mixed_precision=precision)
        train_student(run, settings, teacher, initial_weights)
    typer.echo(f"Trained weights: {run / 'student.safetensors'}")
