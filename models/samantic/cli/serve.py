"""`samantic serve`: the server on a folder of images."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from samantic.cli.plain_errors import plain_errors

Host = Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 lets other machines in, without a password.")]
Port = Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")]


def serve(
    studies: Annotated[Path, typer.Argument(help="Folder of images; masks that are submitted go to its `labels`.")],
    host: Host = "127.0.0.1",
    port: Port = 8000,
    models: Annotated[str, typer.Option(help="Comma-separated models to load; `all` loads every one.")] = "all",
    home: Annotated[
        Path | None, typer.Option(help="Where the server keeps its own files; otherwise SAMANTIC_HOME or ~/.samantic.")
    ] = None,
    initial_weights: Annotated[
        Path | None,
        typer.Option(help="A SEG-SAM checkpoint (.safetensors) to begin with in the place of the bundled weights."),
    ] = None,
    besadiff_weights: Annotated[
        Path | None,
        typer.Option(help="A BESA-Diff segmenter (.safetensors) to begin with in the place of the bundled one."),
    ] = None,
    weights: Annotated[
        list[str] | None,
        typer.Option(
            help="MODEL=FILE: the same for any model, such as breast=mine.safetensors; may be repeated.", metavar="TEXT"
        ),
    ] = None,
) -> None:
    """Serve a folder of NIfTI, NRRD, MetaImage, DICOM, PNG and JPEG images to 3D Slicer and other MONAI Label clients.

    Example: samantic serve ~/studies --port 8000

    Then open http://127.0.0.1:8000 in 3D Slicer's MONAILabel module.
    """
    files = {"initial_weights": initial_weights, "besadiff_weights": besadiff_weights}
    given = {key: path for key, path in files.items() if path is not None}
    start(studies, host, port, models, home, given | dict(_named(text) for text in weights or ()))


def start(
    studies: Path,
    host: str,
    port: int,
    models: str = "all",
    home: Path | None = None,
    weights: Mapping[str, Path] | None = None,
) -> None:
    """Serve until the process is told to stop; what cannot be started is an error of the command line.

    weights: key of `--conf` -> file, such as "breast_weights".
    """
    from samantic.app.launch import LaunchError
    from samantic.app.launch import serve as run_server

    # The processes that the server starts read it too.
    files = {key: str(path.expanduser().absolute()) for key, path in (weights or {}).items()}
    conf = {"models": models, **files}
    with plain_errors(LaunchError):
        run_server(studies, host, port, conf, home)


def _named(text: str) -> tuple[str, Path]:
    """`breast=mine.safetensors` -> the key of `--conf`, and the file."""
    model, _, file = (part.strip() for part in text.partition("="))
    if not model or not file:
        raise typer.BadParameter(f"--weights is '{text}', but it must be MODEL=FILE, such as breast=mine.safetensors.")
    return "initial_weights" if model == "segsam" else f"{model}_weights", Path(file)
