"""`samantic workbench`: annotate in a browser."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Annotated

import typer

NOT_INSTALLED = "The workbench needs trame-slicer; install it with: pip install 'samantic[workbench]'"
DEFAULT_PORT = 8080


def workbench(
    server: Annotated[str, typer.Option(help="Address of the Samantic server.")] = "http://127.0.0.1:8000",
    port: Annotated[
        int, typer.Option(min=1, max=65535, help="Port of this machine on which the page is.")
    ] = DEFAULT_PORT,
) -> None:
    """Open a workbench for one person in the browser, on a server that `samantic serve` or `demo --serve` has started.

    Example: samantic workbench --server http://127.0.0.1:8000

    Then open http://127.0.0.1:8080 in a browser of this machine.
    """
    if not is_installed():
        raise typer.BadParameter(NOT_INSTALLED)
    if not is_free(port):
        raise typer.BadParameter(f"Port {port} is taken; choose another one with --port.")
    from samantic.workbench.app import run

    typer.echo(f"Open http://127.0.0.1:{port} in a browser. Stop with Ctrl-C.")
    run(server, port)


@contextmanager
def workbench_on_demand(server: str) -> Iterator[str | None]:
    """Yield where a workbench starts once somebody opens it; None where trame-slicer is not installed."""
    if not is_installed():
        yield None
        return
    port = DEFAULT_PORT if is_free(DEFAULT_PORT) else _any_port()
    # It ends with its standard input, whatever becomes of this process.
    command = [sys.executable, "-m", "samantic.workbench.waiting", server, str(port)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def is_installed() -> bool:
    """Whether what the workbench needs is there; nothing of it is imported."""
    return find_spec("trame_slicer") is not None


def is_free(port: int) -> bool:
    """Whether nobody listens on a port of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _any_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
