"""`samantic demo`: images to try everything with, made here, nothing downloaded."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from samantic.cli.plain_errors import plain_errors
from samantic.cli.serve import Host, Port, start
from samantic.cli.workbench import workbench_on_demand

if TYPE_CHECKING:
    from samantic.datasets import DemoStudy

SERVED = """
[bold]The server is starting; it answers when it says "Application startup complete".[/bold]

{workbench}
Open    [cyan]http://{address}/info/[/cyan]       models, labels, images

Click   in 3D Slicer: module MONAILabel, server http://{address}, Next Sample, Smart Edit

        curl -F 'params={{"foreground": [{click}]}}' \\
             'http://{address}/infer/segsam?image=ct_abdomen&output=json'

        {python} -c 'from monailabel.client import MONAILabelClient as C
        print(C("http://{address}").infer("segsam", "ct_abdomen", {{"foreground": [{click}]}}))'

Stop    Ctrl-C
"""

ANNOTATE = "Annotate  [cyan]{address}[/cyan]       in a browser: click, follow through the slices, submit, train\n"
NO_WORKBENCH = "Annotate  in a browser: pip install 'samantic\\[workbench]', then samantic workbench\n"

UNSERVED = """
Next    {samantic} infer {image} --point {point} -o mask.nii.gz --overlay overlay.png

        {samantic} demo --serve
"""


def demo(
    folder: Annotated[
        Path | None, typer.Option(help="Where to put the images; otherwise `demo` in SAMANTIC_HOME (~/.samantic).")
    ] = None,
    serve: Annotated[bool, typer.Option("--serve", help="Start the server on the images.")] = False,
    synthetic: Annotated[
        int, typer.Option(min=0, help="Seconds to spend on synthetic lesions; the next start adds what is missing.")
    ] = 25,
    host: Host = "127.0.0.1",
    port: Port = 8000,
) -> None:
    """Write a demo study (CT abdomen, MR head, skin and ultrasound pictures, with truth) and say what to try with it.

    The bundled generator adds skin lesions that no person has: 6 with a label, 18 to annotate.

    Example: samantic demo

    Example: samantic demo --serve --port 8000
    """
    console = Console()
    from samantic.datasets import DemoStudyError, write_demo_study
    from samantic.sam import samantic_home

    folder = folder or samantic_home() / "demo"
    with plain_errors(DemoStudyError), _bar(console) as bar:
        task = bar.add_task("Making the demo study", total=None)
        study = write_demo_study(folder, lambda image: bar.update(task, description=f"Making {image}"))
    lesions = _synthetic_lesions(console, study.folder, synthetic) if synthetic else 0
    _list(console, study, lesions)
    abdomen = study["ct_abdomen"]
    i, j, k = abdomen.clicks["liver"]
    if serve:
        with workbench_on_demand(f"http://127.0.0.1:{port}") as page:
            text = SERVED.format(
                address=f"{host}:{port}",
                click=f"[{i}, {j}, {k}]",
                python=_typed("python"),
                workbench=NO_WORKBENCH if page is None else ANNOTATE.format(address=page),
            )
            console.print(text, highlight=False, soft_wrap=True)
            start(study.folder, host, port)
    else:
        text = UNSERVED.format(samantic=_typed("samantic"), image=abdomen.path, point=f"{i},{j},{k}")
        console.print(text, highlight=False, markup=False, soft_wrap=True)


def _typed(command: str) -> str:
    """Return what to type for a command of this environment: its path, from here where that is shorter."""
    path = Path(sys.executable).with_name(command)
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _bar(console: Console) -> Progress:
    return Progress(TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=console, transient=True)


def _synthetic_lesions(console: Console, folder: Path, seconds: float) -> int:
    """Add what the bundled generator draws, where there is one, and return how many images that is."""
    from samantic.bundled import bundled_models

    if not {"besadiff-generator", "besadiff-segmenter"} <= set(bundled_models()):
        return 0
    from samantic.besadiff.synthesis import PairSource, Refiner, SynthesisError
    from samantic.besadiff.synthesis.demo_pairs import PAIRS, add_demo_pairs
    from samantic.besadiff.synthesis.usual_parts import load_parts

    def load() -> tuple[PairSource, Refiner]:
        parts = load_parts()
        return parts.generator, parts.refiner

    with plain_errors(SynthesisError), _bar(console) as bar:
        task = bar.add_task("Making synthetic lesions", total=PAIRS)
        return add_demo_pairs(folder, load, seconds, lambda now: bar.update(task, completed=now.accepted))


def _list(console: Console, study: DemoStudy, lesions: int) -> None:
    console.print(f"The demo study is in {study.folder}, its truth in {study.folder / 'truth'}:", soft_wrap=True)
    for image in study:
        names = list(image.names.values())
        words = f"{len(names)} classes" if len(names) > 4 else ", ".join(names)
        console.print(f"  {image.path.name:<20} {image.modality:<4} {words}", highlight=False, soft_wrap=True)
    if lesions:
        from samantic.besadiff.synthesis.demo_pairs import LABELLED, PAIRS

        more = "" if lesions == PAIRS else f"; the next start adds {PAIRS - lesions} more"
        console.print(
            f"  synthetic_*.png      RGB  skin_lesion, {lesions} images that a model drew, {min(lesions, LABELLED)} "
            f"labelled{more}",
            highlight=False,
            soft_wrap=True,
        )
