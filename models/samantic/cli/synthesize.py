"""`samantic synthesize`: images of skin lesions that no person has, with masks to learn from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from samantic.cli.plain_errors import plain_errors

if TYPE_CHECKING:
    from samantic.besadiff.synthesis import SynthesisProgress


def synthesize(
    count: Annotated[int, typer.Argument(min=1, help="Pairs of image and mask to have in the folder.")],
    out: Annotated[Path, typer.Option(help="New or empty folder, or one that this command began.")],
    classes: Annotated[
        list[str] | None,
        typer.Option("--class", help="nevus, melanoma or seborrheic_keratosis; repeat it for several, taken in turn."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same pairs.")] = 0,
    generator: Annotated[
        str, typer.Option(help="Bundled generator, or .safetensors file of one.")
    ] = "besadiff-generator",
    segmenter: Annotated[
        str, typer.Option(help="Bundled segmenter that draws the borders, or .safetensors file of one.")
    ] = "besadiff-segmenter",
    sam: Annotated[
        str, typer.Option(help="Bundled SEG-SAM model that is prompted, or .safetensors file of one.")
    ] = "segsam-tiny",
    device: Annotated[str | None, typer.Option(help="cpu or cuda; otherwise the GPU if there is one.")] = None,
) -> None:
    """Synthesise images of skin lesions with masks, as a studies folder that a server serves and a trainer learns from.

    [bold]Any lesions[/bold]: samantic synthesize 100 --out synthetic

    [bold]Melanomas and nevi in turn[/bold]: samantic synthesize 100 --out synthetic --class melanoma --class nevus

    Masks that the refiner does not trust are left out, and so are images that copy a training image (where
    SAMANTIC_DATA names the training images; otherwise nobody looks, and the manifest says so). Ctrl-C stops after the
    attempt under way; the same command goes on from there. A larger number adds to a folder.
    """
    from samantic.besadiff.checkpoint import PartError
    from samantic.besadiff.synthesis import SynthesisError, synthesize
    from samantic.besadiff.synthesis.usual_parts import load_parts
    from samantic.cli.devices import usable_device
    from samantic.segsam import CheckpointError
    from samantic.training.stopping import StopRequest

    console = Console(stderr=True)
    with plain_errors(SynthesisError, PartError, CheckpointError, ValueError, OSError), StopRequest() as stop:
        with console.status("Reading the models, and the training images where they are"):
            parts = load_parts(generator, segmenter, sam, usable_device(device))
        if parts.copies is None:
            console.print("Nobody looks for copies of training images: SAMANTIC_DATA does not name them.")
        with _bar(console) as bar:
            task = bar.add_task("Synthesising", total=count)
            done = synthesize(
                count,
                out.expanduser(),
                parts.generator,
                parts.refiner,
                parts.copies,
                diagnoses=classes or (),  # type: ignore[arg-type]  # checked there, with a sentence
                seed=seed,
                on_progress=lambda now: bar.update(task, completed=now.accepted, description=_told(now)),
                is_cancelled=lambda: bool(stop.signal_number),
            )
    typer.echo(f"{out}: {_told(done.progress)}.")
    if not done.finished:
        typer.echo("Stopped; the same command goes on from here, and the same pairs come out.")
        raise typer.Exit(128 + stop.signal_number)
    typer.echo(f"Look at {out / 'report' / 'contact_sheet.png'}; every decision is in {out / 'manifest.json'}.")
    typer.echo(f"`samantic serve {out}` serves the folder; its labels are what `skin_lesion` can be trained from.")


def _told(now: SynthesisProgress) -> str:
    text = f"{now.accepted} accepted of {now.attempts} attempts, {now.rejected} rejected"
    return f"{text}, {now.copies} copies" if now.copies else text


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
