"""`samantic evaluate`: how good a model is on labelled images, beside what the prompts alone are worth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from samantic.cli.plain_errors import plain_errors

if TYPE_CHECKING:
    from samantic.evaluation.evaluation_sets import EvaluationSet
    from samantic.evaluation.intervals import MeanWithInterval
    from samantic.evaluation.record import EvaluationRecord


def evaluate(
    model: Annotated[str, typer.Argument(help="Bundled model, as `samantic models list` shows, or .safetensors file.")],
    dataset: Annotated[
        str, typer.Argument(help="isic2017, busi, hippocampus or dicom-ct (in SAMANTIC_DATA), or a folder.")
    ],
    part: Annotated[str | None, typer.Option(help="test or val; otherwise test, if a folder has it, or all.")] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most so many structures, spread evenly over the set.")
    ] = None,
    smallest: Annotated[
        int | None, typer.Option(min=1, help="Leave out structures of fewer pixels; otherwise 25, dicom-ct 200.")
    ] = None,
    clicks: Annotated[int, typer.Option(min=1, help="Clicks of the row of several clicks.")] = 5,
    click_limit: Annotated[int, typer.Option(min=1, help="Clicks after which a target counts as not reached.")] = 10,
    validation: Annotated[
        Path | None,
        typer.Option(help="Folder of other images, to choose the image-blind disc's radius on for a folder's images."),
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write one self-contained page (.html).")] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write all numbers, also those of every structure (.json).")
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu or cuda; otherwise the GPU if there is one.")] = None,
) -> None:
    """Measure a model with a box, one click and several clicks, and how well it names what it finds.

    [bold]A public set[/bold]: samantic evaluate segsam-tiny busi --limit 20 --report report.html

    [bold]Your own weights and images[/bold]: samantic evaluate my.safetensors ~/labelled --json numbers.json
    """
    _check(report, json_file, dataset, validation)
    console = Console()
    with _progress() as (step, progress):
        step("Starting")
        from samantic.cli.devices import usable_device
        from samantic.evaluation.html_report import write_report
        from samantic.evaluation.interactive_protocol import InteractiveProtocol
        from samantic.evaluation.record import write_json
        from samantic.evaluation.run import evaluate as run
        from samantic.evaluation.run import load_model

        with plain_errors(ValueError, OSError):
            protocol = InteractiveProtocol(clicks=clicks, click_limit=click_limit)
            data = _data_set(dataset, part, validation)
            predictor = load_model(model, usable_device(device))
            name = Path(model).name
            evaluation = run(name, predictor, data, protocol, limit, smallest, step, progress)
            if json_file is not None:
                write_json(evaluation.record, json_file)
            if report is not None:
                write_report(evaluation.record, evaluation.pictures, report)
    _print(console, evaluation.record)
    for path in (json_file, report):
        if path is not None:
            console.print(f"Written: {path}", markup=False, highlight=False, soft_wrap=True)


def _check(report: Path | None, json_file: Path | None, dataset: str, validation: Path | None) -> None:
    """Refuse before anything is loaded what could not be read or written afterwards."""
    for option, path, suffixes in (("--report", report, (".html", ".htm")), ("--json", json_file, (".json",))):
        if path is None:
            continue
        if path.suffix.lower() not in suffixes:
            raise typer.BadParameter(f"{option} '{path.name}' must end with {' or '.join(suffixes)}.")
        if not path.absolute().parent.is_dir():
            raise typer.BadParameter(f"{option}: there is no folder '{path.parent}'.")
    if validation is not None and not validation.is_dir():
        raise typer.BadParameter(f"--validation: there is no folder '{validation}'.")
    if validation is not None and validation.resolve() == Path(dataset).resolve():
        raise typer.BadParameter("--validation must hold other images than those that are measured.")


def _data_set(dataset: str, part: str | None, validation: Path | None) -> EvaluationSet:
    from samantic.evaluation.evaluation_sets import SET_NAMES, folder_set, named_set

    # A name goes before a folder of the same name, which can be meant with ./name.
    if dataset not in SET_NAMES and Path(dataset).is_dir():
        return folder_set(Path(dataset), part, validation)
    return named_set(dataset, part or "test")


@contextmanager
def _progress() -> Iterator[tuple[Callable[[str], None], Callable[[int, int], None]]]:
    console = Console(stderr=True)
    columns: tuple[Any, ...] = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    try:
        with Progress(
            *columns,
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        ) as bar:
            task = bar.add_task("Starting", total=None)
            yield (
                lambda what: bar.update(task, description=escape(what)),
                lambda done, total: bar.update(task, completed=done, total=total),
            )
    except KeyboardInterrupt:
        typer.echo("Interrupted; no file is left half written.", err=True)
        raise typer.Exit(130) from None


def _print(console: Console, record: EvaluationRecord) -> None:
    summary = record.summary
    console.print(
        f"{record.model} on {record.data_title}: {summary.structures} of {record.available} structures, "
        f"{summary.images} images",
        markup=False,
        highlight=False,
    )
    prompts = Table(box=None, pad_edge=False)
    for heading in (
        "prompt",
        "Dice",
        "IoU",
        "NSD",
        f"HD95 {'/'.join(summary.units)}",
        "boundary F",
    ):
        prompts.add_column(heading, no_wrap=True)
    for row in summary.prompts:
        figures = (_interval(row.dice), *(f"{value.mean:.3f}" for value in (row.iou, row.surface_dice)))
        style = None if row.looks_at_image else "dim"
        prompts.add_row(row.prompt, *figures, f"{row.hausdorff95.mean:.1f}", f"{row.boundary_f.mean:.3f}", style=style)
    console.print(prompts)
    for difference in summary.differences:
        console.print(f"{difference.compared}: {_interval(difference.dice, '+')} Dice", highlight=False)
    for target in summary.targets:
        console.print(
            f"Dice {target.target:.2f}: reached by {target.reached.mean:.0%} within {target.limit} clicks, "
            f"median {target.median_text}",
            highlight=False,
        )
    for naming in summary.naming:
        console.print(
            f"Names after {naming.prompt}: top-1 {_interval(naming.top1)}, top-3 {naming.top3.mean:.3f}, macro top-1 "
            f"{naming.confusion.macro_top1:.3f}, calibration error {naming.reliability.expected_calibration_error:.3f} "
            f"(always the commonest class: top-1 {naming.confusion.commonest_top1:.3f}, macro "
            f"{naming.confusion.commonest_macro_top1:.3f})",
            highlight=False,
        )
        if naming.unsure is not None:
            console.print(
                f"Unsure after {naming.prompt}: {naming.unsure.right} of the rightly named, {naming.unsure.wrong} of "
                f"the wrongly named, {naming.unsure.unknown} of unknown classes; right where sure: "
                f"{naming.unsure.right_where_sure}",
                highlight=False,
            )
    if summary.out_of_domain is not None:
        console.print(f"Images said to be unlike those learned from: {summary.out_of_domain}", highlight=False)
    if summary.groups == 1:
        console.print("One patient: there are no intervals.")
    if record.disc_radius is None:
        console.print("No row for the disc at the click: --validation names images to choose its radius on.")
    if record.unknown_classes:
        names = ", ".join(record.unknown_classes)
        console.print(f"Measured, but not named by the model: {names}", markup=False, highlight=False)


def _interval(value: MeanWithInterval, sign: str = "") -> str:
    if value.groups == 1:
        return f"{value.mean:{sign}.3f}"
    return f"{value.mean:{sign}.3f} ({value.low:{sign}.3f} to {value.high:{sign}.3f})"
