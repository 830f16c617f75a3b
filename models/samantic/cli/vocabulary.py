"""`samantic vocabulary`: look at the semantic classes and write them for 3D Slicer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from samantic.vocabulary import Code, SemanticClass, UnknownClassError, load_vocabulary

app = typer.Typer(no_args_is_help=True, help="The semantic classes: what can be named, with codes, colours and words.")


@app.command("list")
def list_classes(
    domain: Annotated[
        str | None,
        typer.Option(help="Only one kind of image: ct, mr, dermoscopy, breast_ultrasound or skin_photo."),
    ] = None,
    search: Annotated[str | None, typer.Option(help="Only classes with these words, best first, e.g. 'kid'.")] = None,
) -> None:
    """List the classes.

    Try: samantic vocabulary list --domain mr --search "left kidney"
    """
    vocabulary = load_vocabulary()
    try:
        if search is not None:
            entries = vocabulary.search(search, limit=len(vocabulary), domain=domain)
        else:
            entries = tuple(vocabulary) if domain is None else vocabulary.domain(domain)
    except UnknownClassError as error:
        raise typer.BadParameter(str(error)) from error
    if not entries:
        raise typer.BadParameter(f"No class has the words '{search}'; `samantic vocabulary list` shows all names.")
    table = Table(box=None, pad_edge=False)
    for heading in ("", "name", "label", "domains", "code"):
        table.add_column(heading, no_wrap=heading == "name")
    for entry in entries:
        code = f"{entry.type.scheme} {'+'.join(entry.code_values)}"
        table.add_row(_swatch(entry), entry.name, entry.label, ", ".join(entry.domains), code)
    Console().print(table)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="Name, label, synonym or code, e.g. 'left kidney' or 64033007+7771000.")],
) -> None:
    """Show all that is known about one class.

    Try: samantic vocabulary show "left kidney"
    """
    try:
        entry = load_vocabulary().find(name)
    except UnknownClassError as error:
        raise typer.BadParameter(str(error)) from error
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column()
    for heading, code in (
        ("category", entry.category),
        ("type", entry.type),
        ("modifier", entry.modifier),
        ("region", entry.region),
        ("region modifier", entry.region_modifier),
    ):
        if code is not None:
            table.add_row(heading, _code_text(code))
    table.add_row("colour", Text.assemble(_swatch(entry), f" {', '.join(map(str, entry.colour_rgb))}"))
    table.add_row("domains", ", ".join(entry.domains))
    table.add_row("also called", ", ".join(entry.synonyms) or "-")
    console = Console()
    console.print(Text.assemble((entry.name, "bold"), f" - {entry.label}"))
    console.print(table)
    console.print(entry.description, markup=False, highlight=False)


@app.command()
def export(folder: Annotated[Path, typer.Argument(help="Folder for the two files; made when missing.")]) -> None:
    """Write the terminology file (*.term.json) and the colour table (*.ctbl) that 3D Slicer loads.

    Try: samantic vocabulary export slicer_extension/Samantic/Resources
    """
    from samantic.vocabulary.slicer_export import export_for_slicer  # late: what writes files is slow to load

    if folder.exists() and not folder.is_dir():
        raise typer.BadParameter(f"{folder} is a file, not a folder.")
    for path in export_for_slicer(load_vocabulary(), folder):
        typer.echo(f"Wrote {path}")


def _swatch(entry: SemanticClass) -> Text:
    return Text("  ", style="on rgb({},{},{})".format(*entry.colour_rgb))


def _code_text(code: Code) -> str:
    return f"{code.meaning} ({code.scheme} {code.value})"
