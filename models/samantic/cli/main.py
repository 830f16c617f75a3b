"""The command `samantic`."""

from __future__ import annotations

from typing import Annotated

import typer

from samantic import __version__
from samantic.cli import (
    annotate,
    cache,
    crop,
    datasets,
    demo,
    evaluate,
    export,
    infer,
    models,
    serve,
    synthesize,
    train,
    vocabulary,
    workbench,
)
from samantic.cli.plain_errors import PlainErrorGroup

app = typer.Typer(
    name="samantic",
    cls=PlainErrorGroup,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"samantic {__version__}")
        raise typer.Exit


@app.callback()
def _samantic(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """Click on a medical image, get the mask and its name.

    [bold]First steps[/bold]

    samantic demo --serve                                     a server with images to try, and a workbench

    samantic serve ~/studies                                  a server on your own images

    samantic workbench                                        annotate in the browser

    samantic infer ct.nii.gz --point 45,70,66 -o mask.nii.gz  one click without a server

    samantic annotate ~/studies                               a first label for every image without one

    samantic vocabulary list --search kidney                  what can be named
    """


app.command()(serve.serve)
app.command()(demo.demo)
app.command()(workbench.workbench)
app.command()(infer.infer)
app.command()(annotate.annotate)
app.command()(evaluate.evaluate)
app.command()(export.export)
app.command()(synthesize.synthesize)
app.command()(crop.crop)
app.add_typer(vocabulary.app, name="vocabulary")
app.add_typer(models.app, name="models")
app.add_typer(cache.app, name="cache")
app.add_typer(train.app, name="train")
app.add_typer(datasets.app, name="datasets")
