"""`samantic export`: the labels of a studies folder in the formats of others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from samantic.cli.plain_errors import plain_errors

FORMATS = ("nnunet", "coco", "seg-nrrd", "dicom-seg")
LISTED = 5  # images without a label that are named


def export(
    studies: Annotated[Path, typer.Argument(help="Folder that `samantic serve` serves.")],
    to: Annotated[str, typer.Option("--to", help=f"{', '.join(FORMATS)}.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="New folder for the export.")],
    tag: Annotated[str, typer.Option(help="Which labels: final, by people, or original, by a model.")] = "final",
    name: Annotated[
        list[str] | None, typer.Option(help="VALUE=CLASS of values that a label does not name; may be repeated.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier export.")] = False,
) -> None:
    """Write images and labels as a data set for nnU-Net, as COCO, or as segmentations for 3D Slicer or in DICOM.

    Example: samantic export ~/studies --to nnunet --out ~/nnUNet_raw_new
    """
    if to not in FORMATS:
        raise typer.BadParameter(f"The format '{to}' is not known; use {', '.join(FORMATS)}.")
    names = _names(name or ())
    console = Console()
    from samantic.exporting import ExportError
    from samantic.exporting import export as run
    from samantic.imaging import ImageWriteError

    with plain_errors(ExportError, ImageWriteError, OSError), _bar() as bar:
        task = bar.add_task("Exporting", total=None)
        written = run(
            studies.expanduser(),
            to,
            out.expanduser(),
            tag=tag,
            names=names,
            overwrite=overwrite,
            on_progress=lambda done, total, _: bar.update(task, completed=done, total=total),
        )
    plain = {"markup": False, "highlight": False, "soft_wrap": True}
    console.print(f"Written: {len(written.files)} images with labels to {written.folder}", **plain)  # type: ignore[arg-type]
    for image_id, why in list(written.left_out.items())[:LISTED]:
        console.print(f"Left out: {image_id}, {why}", **plain)  # type: ignore[arg-type]
    if len(written.left_out) > LISTED:
        console.print(f"Left out: {len(written.left_out) - LISTED} more, see export.json", **plain)  # type: ignore[arg-type]
    missing = written.without_label
    if missing:
        more = f" and {len(missing) - LISTED} more" if len(missing) > LISTED else ""
        listed = ", ".join(missing[:LISTED])
        console.print(f"Without a label '{tag}', so left out: {listed}{more}", **plain)  # type: ignore[arg-type]


def _names(entries: Sequence[str]) -> dict[int, str]:
    names = {}
    for entry in entries:
        value, _, name = entry.partition("=")
        if not value.strip().isdecimal() or not 0 < int(value) <= 65535 or not name.strip():
            raise typer.BadParameter(f"--name is '{entry}', but it must be like 3=liver.")
        names[int(value)] = name.strip()
    return names


def _bar() -> Progress:
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
