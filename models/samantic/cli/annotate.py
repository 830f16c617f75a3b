"""`samantic annotate`: a first label for every image of a folder, so that each is opened already drafted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from samantic.cli.plain_errors import plain_errors

if TYPE_CHECKING:
    from samantic.app.lib.annotating import Annotated as Done

SOURCES = ("auto", "head", "grid")


def annotate(
    studies: Annotated[Path, typer.Argument(help="Folder of images, as for `samantic serve`.")],
    classes: Annotated[
        str, typer.Option(help="Comma-separated classes to look for, in the order of their values; otherwise all.")
    ] = "",
    model: Annotated[
        str, typer.Option(help="Bundled model, as `samantic models list` shows, or .safetensors file.")
    ] = "segsam-tiny",
    tag: Annotated[str, typer.Option(help="Tag that the labels are kept under.")] = "original",
    proposals: Annotated[
        str, typer.Option(help="head, grid (clicks everywhere: slow) or auto, the head where the model has one.")
    ] = "auto",
    refine: Annotated[
        bool | None, typer.Option(help="Whether the model is prompted with what the head found; otherwise as is best.")
    ] = None,
    axis: Annotated[
        int | None, typer.Option(min=0, max=2, help="Cut volumes along this voxel axis only; otherwise as is best.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu or cuda; otherwise the GPU if there is one.")] = None,
) -> None:
    """Save a first label for every image that has none.

    [bold]All classes[/bold]: samantic annotate ~/studies

    [bold]Some classes, own weights[/bold]: samantic annotate ~/studies --classes liver,spleen --model my.safetensors

    Images that have a label, of whatever tag, are left alone, so the command can be stopped and repeated at will. An
    image that cannot be labelled does not stop the others; the exit code is then 1.
    """
    if not studies.is_dir():
        raise typer.BadParameter(f"There is no folder '{studies}'; name a folder with images.")
    if proposals not in SOURCES:
        raise typer.BadParameter(f"--proposals is '{proposals}', but it must be one of {', '.join(SOURCES)}.")
    with _progress() as (step, progress):
        step("Starting")
        from samantic.app.lib.annotating import annotate_studies
        from samantic.app.lib.infers.segsam import usual_cache
        from samantic.app.lib.infers.segsam_auto import SegSamAuto
        from samantic.cli.class_names import known_classes
        from samantic.cli.devices import usable_device
        from samantic.evaluation.run import load_model
        from samantic.vocabulary import load_vocabulary

        with plain_errors(ValueError, OSError):
            predictor = load_model(model, usable_device(device))
            wanted = known_classes(load_vocabulary(), predictor.class_names, classes, None)
            params = {"classes": list(wanted), "proposals": proposals, "refine": refine, "axis": axis}
            # Who opens a drafted image on this machine's server clicks without waiting for the encoder.
            with usual_cache() or nullcontext() as cache:
                done = annotate_studies(studies, SegSamAuto(lambda: predictor, cache), params, tag, progress)
    _report(Console(), done, tag)
    if done.failed:
        raise typer.Exit(1)


@contextmanager
def _progress() -> Iterator[tuple[Callable[[str], None], Callable[[int, int, str, float], None]]]:
    console = Console(stderr=True)
    columns: tuple[Any, ...] = (TextColumn("{task.description}"), BarColumn())
    try:
        with Progress(
            *columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console, transient=True,
            disable=not console.is_terminal,
        ) as bar:  # fmt: skip
            task = bar.add_task("Starting", total=None)

            def progress(done: int, total: int, image: str, share: float) -> None:
                what = f"{escape(image)} ({min(done + 1, total)} of {total})" if image else "Done"
                bar.update(task, description=what, completed=done + share, total=total)

            yield lambda what: bar.update(task, description=escape(what)), progress
    except KeyboardInterrupt:
        typer.echo("Interrupted; what is labelled is kept, and the same command goes on with the rest.", err=True)
        raise typer.Exit(130) from None


def _report(console: Console, done: Done, tag: str) -> None:
    console.print(
        f"{len(done.labelled)} labelled (tag {tag}), {len(done.left_out)} with a label already, "
        f"{len(done.failed)} that could not be labelled.",
        markup=False,
        highlight=False,
    )
    for image, reason in done.failed.items():
        typer.echo(f"{image}: {reason}", err=True)
