"""`samantic datasets`: which public data sets are read, and whether a download is complete."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from samantic.datasets.layouts import Listing

app = typer.Typer(no_args_is_help=True, help="Public data sets: which are read, and whether a download is complete.")


@app.command("list")
def list_layouts() -> None:
    """List the data sets that are read as their publishers pack them, with licence and address.

    Example: samantic datasets list
    """
    from samantic.datasets.layouts import LAYOUTS

    for layout in LAYOUTS:
        typer.echo(f"{layout.name}: {layout.title}, licence {layout.licence}")
        typer.echo(f"  {layout.address}")
        typer.echo(f"  known by {layout.looked_for}")


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(help="The folder into which the data set was unpacked.")],
    depth: Annotated[
        str, typer.Option(help="How far to look: headers, labels (every label value), or everything (images too).")
    ] = "labels",
) -> None:
    """Say which data set a folder holds, how many images and which classes, and what is wrong with it.

    Exits with 0 if nothing is, with 1 if something is missing or damaged and with 2 if the folder is not recognised.

    Example: samantic datasets check ~/downloads/Task04_Hippocampus
    """
    from samantic.datasets.layouts import DatasetError, Depth, recognise

    if depth not in {allowed.value for allowed in Depth}:
        raise typer.BadParameter(f"'{depth}' is no depth; use headers, labels or everything.")
    try:
        layout = recognise(folder)
    except DatasetError as error:
        typer.echo(_printable(str(error)), err=True)
        raise typer.Exit(2) from error
    typer.echo(f"{layout.title} ({layout.name}), licence {layout.licence}")
    try:
        listing = layout.listing(folder)
        _describe(listing)
        with _progress("Looking") as progress:
            problems = layout.problems(folder, Depth(depth), progress)
    except DatasetError as error:
        typer.echo(_printable(str(error)), err=True)
        raise typer.Exit(1) from error
    for problem in problems:
        typer.echo(_printable(str(problem)), err=True)
    if problems:
        typer.echo(f"{len(problems)} {'problem' if len(problems) == 1 else 'problems'}.", err=True)
        raise typer.Exit(1)
    typer.echo("Nothing is missing.")


def _describe(listing: Listing) -> None:
    images = Counter(case.part for case in listing.cases)
    labelled = Counter(case.part for case in listing.cases if case.labels)
    for part in listing.parts:
        noun = "image" if images[part] == 1 else "images"
        unlabelled = "" if labelled[part] == images[part] else f", {labelled[part] or 'none'} with labels"
        typer.echo(f"{part}: {images[part]} {noun}{unlabelled}")
    typer.echo(f"classes: {', '.join(listing.class_names) or 'none that the vocabulary has'}")
    for note in listing.notes:
        typer.echo(_printable(f"note: {note}"))


def _printable(text: str) -> str:
    """Names of files come from strangers; what would move the cursor is written as an escape."""
    return "".join(
        letter if letter.isprintable() or letter == "\n" else letter.encode("unicode_escape").decode()
        for letter in text
    )


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
