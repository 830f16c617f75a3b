"""`samantic cache`: the image embeddings kept between runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True,
    help="The image embeddings kept between runs, so that the first click after a restart is quick.",
)

Folder = Annotated[
    Path | None,
    typer.Option(help="Folder of the cache; without it the folder `cache/embeddings` in SAMANTIC_HOME (~/.samantic)."),
]


@app.command()
def info(folder: Folder = None) -> None:
    """Show where the cache is and how much it holds.

    Example: samantic cache info
    """
    from samantic.sam import embeddings_folder
    from samantic.sam.disk_store import usage_of

    folder = folder or embeddings_folder()
    entries, size = usage_of(folder)
    typer.echo(f"{folder}: {entries} embeddings, {size / 1e6:.1f} MB")


@app.command()
def clear(folder: Folder = None) -> None:
    """Remove all embeddings on disk; images can be guessed from them, so do this before handing a machine on.

    A running server keeps what it has in memory. Example: samantic cache clear
    """
    from samantic.sam import embeddings_folder
    from samantic.sam.disk_store import clear_folder

    folder = folder or embeddings_folder()
    typer.echo(f"{folder}: {clear_folder(folder)} embeddings removed")
