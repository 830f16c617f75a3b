"""`samantic models`: which weights there are, whether they are right, fetching and adopting others, and going back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table

from samantic.cli import published

if TYPE_CHECKING:
    from collections.abc import Callable

    from samantic.sam import CheckpointFile

app = typer.Typer(
    no_args_is_help=True, help="The weights: what is bundled, what can be downloaded, what was trained and is served."
)
app.command()(published.history)
app.command()(published.rollback)

Folder = Annotated[
    Path | None,
    typer.Option(help="Where downloads are kept; without it the folder `models` in SAMANTIC_HOME (~/.samantic)."),
]


@app.command("list")
def list_models(folder: Folder = None) -> None:
    """List the bundled models and the checkpoints that can be downloaded.

    Example: samantic models list
    """
    from samantic.bundled import bundled_models, bundled_weights, model_card
    from samantic.sam import find_file, load_zoo

    table = Table()
    for heading in ("name", "encoder", "size", "licence", "where"):
        table.add_column(heading, no_wrap=heading == "name", justify="right" if heading == "size" else "left")
    for name in bundled_models():
        card = model_card(name)
        size = bundled_weights(name).stat().st_size
        table.add_row(name, str(card.get("encoder", "tiny")), _mb(size), str(card.get("licence", "")), "bundled")
    with _plain_errors():
        for checkpoint in load_zoo():
            path = find_file(checkpoint, folder)
            where = "not downloaded" if path is None else str(path)
            table.add_row(checkpoint.name, checkpoint.encoder, _mb(checkpoint.size_bytes), checkpoint.licence, where)
    Console().print(table)
    typer.echo(
        "`samantic models download NAME` fetches one; SAMANTIC_WEIGHTS names a folder of files you already have."
    )


@app.command()
def verify(
    names: Annotated[list[str] | None, typer.Argument(help="Names; without them all that are on this machine.")] = None,
    folder: Folder = None,
) -> None:
    """Compare the files on this machine with their published size and SHA-256.

    Exits with 1 where one is wrong, missing or partial. Example: samantic models verify sam_vit_b
    """
    from samantic.bundled import bundled_models
    from samantic.sam import WeightsError, find_checkpoint, find_file, load_zoo, verify_file

    bundled = bundled_models()
    wanted = names or [*bundled, *(checkpoint.name for checkpoint in load_zoo())]
    right, wrong = 0, 0
    for name in wanted:
        try:
            if name in bundled:
                typer.echo(f"{name}: {_verdict_of_bundled(name)}")
            else:
                checkpoint = find_checkpoint(name)
                path = find_file(checkpoint, folder)
                if path is None and names is None:
                    continue
                if path is None:
                    raise WeightsError(f"{name} is not on this machine; `samantic models download {name}` fetches it.")
                with _progress(f"Reading {name}") as progress:
                    file = verify_file(checkpoint, path, progress)
                typer.echo(f"{name}: {_verdict(file)}")
            right += 1
        except (WeightsError, ValueError) as error:
            typer.echo(str(error), err=True)
            wrong += 1
    if not right + wrong:
        typer.echo("No weights are on this machine; `samantic models list` shows what can be downloaded.")
    if wrong:
        raise typer.Exit(1)


@app.command()
def download(
    name: Annotated[str, typer.Argument(help="A name of `samantic models list`.")], folder: Folder = None
) -> None:
    """Download a checkpoint, or continue a download that was interrupted, and verify it.

    Example: samantic models download sam_vit_b
    """
    from samantic.sam import fetch_checkpoint, find_checkpoint

    with _plain_errors():
        checkpoint = find_checkpoint(name)
        size, licence = _mb(checkpoint.size_bytes), checkpoint.licence
        typer.echo(f"{checkpoint.label}, {size}, licence {licence}, {checkpoint.source}")
        with _progress(name) as progress:
            file = fetch_checkpoint(checkpoint, folder, progress)
    typer.echo(f"{name}: {_verdict(file)}")


@app.command()
def adopt(
    source: Annotated[str, typer.Argument(help="A name of `samantic models list`, or a .pth file.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="SEG-SAM checkpoint to write (.safetensors).")],
    encoder: Annotated[
        str | None, typer.Option(help="vit_b, vit_l, vit_h or medsam_vit_b, where the file's name does not tell.")
    ] = None,
    folder: Folder = None,
) -> None:
    """Make a SEG-SAM checkpoint of SAM's or MedSAM's published weights: it segments, and names nothing yet.

    `samantic train segsam RUN --initial-weights FILE` teaches it to name.

    Example: samantic models adopt medsam_vit_b -o segsam-medsam.safetensors
    """
    import torch

    from samantic.segsam import SegSam, save_network
    from samantic.segsam.published_weights import encoder_of, load_published, read_published, sam_config

    with _plain_errors():
        if output.suffix != ".safetensors":
            raise ValueError(f"A SEG-SAM checkpoint ends in .safetensors, unlike {output.name}.")
        path, known = _published(source, folder)
        state = read_published(path)
        network = SegSam(sam_config(encoder=encoder or known or encoder_of(state)))
        report = load_published(network, state)
        # In single precision, so that its masks are the published model's own.
        save_network(network, output, dtype=torch.float32)
    typer.echo(f"{output}: all {len(report.loaded)} tensors of {path.name}, encoder {network.config.encoder}.")
    typer.echo("It segments as published and names nothing until it is trained.")


def _published(source: str, folder: Path | None) -> tuple[Path, str | None]:
    """The file of published weights and, where the zoo knows it, its encoder."""
    from samantic.sam import WeightsError, find_checkpoint, find_file, load_zoo, verify_file

    given = Path(source)
    if given.suffix or given.is_file():
        known = {checkpoint.file_name: checkpoint.encoder for checkpoint in load_zoo()}
        return given, known.get(given.name)
    checkpoint = find_checkpoint(source)
    path = find_file(checkpoint, folder)
    if path is None:
        raise WeightsError(f"{source} is not on this machine; `samantic models download {source}` fetches it.")
    with _progress(f"Reading {source}") as progress:
        return verify_file(checkpoint, path, progress).path, checkpoint.encoder


def _verdict_of_bundled(name: str) -> str:
    from samantic.bundled import bundled_weights, model_card
    from samantic.sam import WeightsError
    from samantic.sam.checkpoint_file import sha256_of

    path = bundled_weights(name)
    expected, found = model_card(name).get("sha256"), sha256_of(path)
    if expected is None:
        return f"unverified, because its card names no SHA-256; SHA-256 {found} was found, {path}"
    if found != expected:
        raise WeightsError(f"{path} is damaged: expected SHA-256 {expected}, found {found}; install samantic again.")
    return f"right, {path}"


def _verdict(file: CheckpointFile) -> str:
    if file.is_verified:
        return f"right, {file.path}"
    reason = "unverified, because no SHA-256 is published; the size is right"
    return f"{reason} and SHA-256 {file.sha256} was found, {file.path}"


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def _plain_errors() -> Iterator[None]:
    from samantic.sam import WeightsError

    try:
        yield
    except (WeightsError, ValueError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        typer.echo("Interrupted; what has arrived is kept, and the next download goes on from there.", err=True)
        raise typer.Exit(130) from None


def _mb(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
