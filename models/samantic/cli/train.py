"""`samantic train`: resumable training runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from samantic.cli.train_breast import breast
from samantic.cli.train_generator import generator
from samantic.cli.train_skinphoto import skin_photo
from samantic.cli.train_student import student
from samantic.cli.training_runs import BatchSize, Precision, Run, Seed, Steps, said_plainly

app = typer.Typer(help="Train the project's own models. A run that was stopped goes on where it stopped.")
app.command()(generator)
app.command("skin-photo")(skin_photo)
app.command()(breast)
app.command()(student)


@app.command()
def segsam(
    run: Run,
    config: Annotated[
        Path | None, typer.Option(help="YAML with network, data shares and options. [default: the packaged one]")
    ] = None,
    steps: Steps = None,
    batch_size: BatchSize = None,
    seed: Seed = None,
    precision: Precision = None,
    initial_weights: Annotated[
        Path | None, typer.Option(help="Start from these SEG-SAM weights (same parts and classes, any image size).")
    ] = None,
) -> None:
    """Train SEG-SAM on the public sets that SAMANTIC_DATA names; options given here go before those in the file.

    Ctrl-C ends a run after the step under way; the same command goes on from there.

    Example: samantic train segsam runs/tiny --steps 1500
    """
    from samantic.segsam.training import bundled
    from samantic.segsam.training.settings import SegSamSettings

    with said_plainly():
        settings = SegSamSettings.from_yaml(config).replacing(
            initial_weights, steps=steps, batch_size=batch_size, seed=seed, mixed_precision=precision
        )
        bundled.train(run, settings)
    typer.echo(f"Trained weights: {run / 'segsam.safetensors'}")


@app.command()
def look(
    run: Run,
    segsam: Annotated[Path, typer.Option(help="SEG-SAM weights that the look network is trained for.")],
    config: Annotated[
        Path | None, typer.Option(help="YAML with size, data shares and options. [default: the packaged one]")
    ] = None,
    steps: Steps = None,
    batch_size: BatchSize = None,
    seed: Seed = None,
    precision: Precision = None,
) -> None:
    """Train the network of SEG-SAM's second look, which draws the borders; the other weights stay as they are.

    Ctrl-C ends a run after the step under way; the same command goes on from there.

    Example: samantic train look runs/look --segsam runs/full/segsam.safetensors
    """
    from samantic.segsam.training import bundled
    from samantic.segsam.training.settings import LookSettings

    with said_plainly():
        settings = LookSettings.from_yaml(config).replacing(
            steps=steps, batch_size=batch_size, seed=seed, mixed_precision=precision
        )
        bundled.train_look(run, segsam, settings)
    typer.echo(f"Trained weights: {run / 'segsam.safetensors'}")


@app.command("prompt-free")
def prompt_free(
    run: Run,
    segsam: Annotated[Path, typer.Option(help="SEG-SAM weights that the head is trained for.")],
    config: Annotated[
        Path | None, typer.Option(help="YAML with width, data shares and options. [default: the packaged one]")
    ] = None,
    steps: Steps = None,
    batch_size: BatchSize = None,
    seed: Seed = None,
    precision: Precision = None,
) -> None:
    """Train the prompt-free head of the automatic mode; the other weights stay as they are.

    Ctrl-C ends a run after the step under way; the same command goes on from there.

    Example: samantic train prompt-free runs/head --segsam runs/look/segsam.safetensors
    """
    from samantic.segsam.training import bundled
    from samantic.segsam.training.settings import PromptFreeSettings

    with said_plainly():
        settings = PromptFreeSettings.from_yaml(config).replacing(
            steps=steps, batch_size=batch_size, seed=seed, mixed_precision=precision
        )
        bundled.train_prompt_free(run, segsam, settings)
    typer.echo(f"Trained weights: {run / 'segsam.safetensors'}")


@app.command()
def dermosegdiff(
    run: Run,
    config: Annotated[
        Path | None, typer.Option(help="YAML with network, loss and options. [default: the packaged one]")
    ] = None,
    steps: Steps = None,
    batch_size: BatchSize = None,
    seed: Seed = None,
    precision: Precision = None,
    initial_weights: Annotated[
        Path | None, typer.Option(help="Start from these weights of the same configuration.")
    ] = None,
) -> None:
    """Train DermoSegDiff, the segmenter of BESA-Diff, on the dermoscopy that SAMANTIC_DATA names.

    Ctrl-C ends a run after the step under way; the same command goes on from there.

    Example: samantic train dermosegdiff runs/segmenter
    """
    from samantic.besadiff.training.bundled import train_segmenter
    from samantic.besadiff.training.settings import SegmenterSettings

    with said_plainly():
        settings = SegmenterSettings.from_yaml(config).replacing(
            steps=steps, batch_size=batch_size, seed=seed, mixed_precision=precision
        )
        train_segmenter(run, settings, initial_weights)
    typer.echo(f"Trained weights: {run / 'segmenter.safetensors'}")


if __name__ == "__main__":
    app()
