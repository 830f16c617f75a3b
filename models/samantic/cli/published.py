"""`samantic models history` and `rollback`: the versions that a server has trained, and which of them it serves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from samantic.cli.plain_errors import plain_errors

if TYPE_CHECKING:
    from samantic.training.model_store import ModelStore, PublishedModel

MODELS = (
    "segsam",
    "besadiff",
    "breast",
    "skin_photo",
    "student_dermoscopy",
    "student_breast_ultrasound",
    "student_hippocampus",
)

Home = Annotated[
    Path | None,
    typer.Option(help="Where the server keeps its own files; otherwise SAMANTIC_HOME or ~/.samantic."),
]

Model = Annotated[str, typer.Option(help=f"Whose versions: {', '.join(MODELS)}.")]


def history(home: Home = None, model: Model = MODELS[0]) -> None:
    """List the versions that a server has trained: when, from what, on how many images, how good, and which is served.

    Example: samantic models history
    """
    from rich.console import Console
    from rich.table import Table

    with _store(home, model) as store:
        current, versions = store.current(), store.history()
    table = Table()
    for heading in ("", "version", "published", "parent", "images", "validation", "new classes"):
        table.add_column(heading, no_wrap=heading != "new classes")
    table.add_row(_mark(current is None), "bundled", "", "", "", "", "")
    for version in versions:
        served = current is not None and current.version == version.version
        table.add_row(_mark(served), *(_plain(cell) for cell in _cells(version)))
    Console().print(table)
    typer.echo("* is served. `samantic models rollback VERSION` serves another one; nothing is deleted.")


def rollback(
    version: Annotated[
        str | None,
        typer.Argument(help="A version of `samantic models history`, or bundled; without it the one served before."),
    ] = None,
    home: Home = None,
    model: Model = MODELS[0],
) -> None:
    """Serve an earlier version again. A running server does so from its next request on.

    Example: samantic models rollback 0002
    """
    from samantic.training.model_store import BUNDLED

    with _store(home, model) as store:
        if version is None:
            version = store.before()
        served = store.rollback(None if version == BUNDLED else version)
    typer.echo(f"Served from now on: {BUNDLED if served is None else served.version}")


@contextmanager
def _store(home: Path | None, model: str) -> Iterator[ModelStore]:
    from samantic.sam.home import published_folder
    from samantic.training.model_store import ModelStore, ModelStoreError, StoreBusyError

    if model not in MODELS:
        raise typer.BadParameter(f"--model is '{model}', but it must be one of {', '.join(MODELS)}.")
    folder = published_folder(model) if home is None else home.expanduser() / "published" / model
    with plain_errors(ModelStoreError, StoreBusyError):
        yield ModelStore(folder)


def _cells(model: PublishedModel) -> tuple[Any, ...]:
    notes = model.notes
    scores = notes.get("validation") or {}
    before, after = (scores.get(when, {}).get("mean_dice") for when in ("before", "after"))
    learned, held_out = len(notes.get("learned_from", ())), len(notes.get("held_out", ()))
    return (
        model.version,
        str(notes.get("published_at", ""))[:16].replace("T", " "),
        notes.get("parent", ""),
        f"{learned} + {held_out} held out",
        "" if before is None or after is None else f"{before:.3f} -> {after:.3f}",
        ", ".join(notes.get("new_classes", ())),
    )


def _mark(served: bool) -> str:
    return "*" if served else ""


def _plain(cell: Any) -> str:
    # A class is called what a person called it: no markup of the table.
    from rich.markup import escape

    return escape(str(cell))
