"""`samantic crop`: crops of photographs of skin that are fit for diagnosis."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from samantic.cli.plain_errors import plain_errors

if TYPE_CHECKING:
    from samantic.skinphoto.folder import CropProgress

NAMED = 20
"""Photographs that could not be read and are named on the screen; all are in the table."""


def crop(
    photographs: Annotated[Path, typer.Argument(help="Folder of photographs (PNG, JPEG, BMP), folders within too.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder for crops, tables and sheet. [default: PHOTOGRAPHS-crops]")
    ] = None,
    skin: Annotated[int, typer.Option(min=0, max=99, help="A crop shows more than so many percent skin.")] = 80,
    lesion: Annotated[int, typer.Option(min=0, max=99, help="A crop shows more than so many percent lesion.")] = 10,
    most: Annotated[int, typer.Option(min=1, max=100, help="Crops of a photograph.")] = 5,
    model: Annotated[str, typer.Option(help="Bundled network, or .safetensors file of one.")] = "skin-photo",
    device: Annotated[str | None, typer.Option(help="cpu or cuda; otherwise the GPU if there is one.")] = None,
) -> None:
    """Cut squares that show mostly skin, and enough of a lesion, out of ordinary photographs.

    [bold]A folder[/bold]: samantic crop ~/photographs

    Writes the crops, crops.csv, photographs.csv and sheet.html. Skin counts what is lesion as well. Photographs that
    cannot be read are named and left out; the exit code is then 1. Ctrl-C stops after the photograph under way; the
    same command goes on from there. The photographs themselves are never changed.
    """
    if not photographs.is_dir():
        raise typer.BadParameter(f"There is no folder '{photographs}'; name a folder with photographs.")
    folder = photographs.expanduser().resolve()
    chosen = (out or folder.with_name(f"{folder.name}-crops")).expanduser()
    from samantic.cli.devices import usable_device
    from samantic.skinphoto.checkpoint import SkinPhotoWeightsError
    from samantic.skinphoto.crop_rule import CropRule
    from samantic.skinphoto.crop_search import CropSearch
    from samantic.skinphoto.folder import CropFolderError, crop_folder
    from samantic.skinphoto.segmenter import SkinSegmenter
    from samantic.training.stopping import StopRequest

    console = Console(stderr=True)
    with plain_errors(CropFolderError, SkinPhotoWeightsError, ValueError, OSError), StopRequest() as stop:
        segmenter = SkinSegmenter.load(_weights(model), usable_device(device))
        search = CropSearch(CropRule(skin, lesion), most=most)
        with _bar(console) as bar:
            task = bar.add_task("Cropping", total=None)

            def progress(now: CropProgress) -> None:
                told = f"{now.crops} crops, {now.without} without, {now.unread} unread  {escape(now.now[-40:])}"
                bar.update(task, completed=now.done, total=now.photographs, description=told)

            done = crop_folder(
                folder, chosen, segmenter, search, on_progress=progress, is_cancelled=lambda: bool(stop.signal_number)
            )
    crops, without = sum(len(one.crops) for one in done.entries), sum(not one.crops for one in done.entries)
    unread = done.unread
    for one in unread[:NAMED]:
        typer.echo(f"{one.photograph}: {one.problem}", err=True)
    if len(unread) > NAMED:
        typer.echo(f"… and {len(unread) - NAMED} more; all are in photographs.csv.", err=True)
    typer.echo(
        f"{crops} crops of {len(done.entries)} photographs; {without - len(unread)} photographs have none, "
        f"{len(unread)} could not be read."
    )
    typer.echo(f"Look at {chosen / 'sheet.html'}; the tables are {chosen / 'crops.csv'} and photographs.csv beside it.")
    if not done.finished:
        typer.echo("Stopped; the same command goes on from here.")
        raise typer.Exit(128 + stop.signal_number)
    if unread:
        raise typer.Exit(1)


def _weights(model: str) -> Path:
    if model.endswith(".safetensors"):
        return Path(model).expanduser()
    from samantic.bundled import bundled_weights

    return bundled_weights(model)


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
