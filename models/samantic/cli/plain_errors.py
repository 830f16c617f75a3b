"""Errors of the command line in one plain line, without boxes and tracebacks."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperGroup


class PlainErrorGroup(TyperGroup):
    """The group of all commands: what a person did wrong becomes one line on stderr and exit code 2."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, False, windows_expand_args, **extra)
        try:
            code = super().main(args, prog_name, complete_var, False, windows_expand_args, **extra)
        except typer.Abort:
            code = 130
        except Exception as error:
            # Typer carries its own copy of click, or uses the real one, by version: known by what they can do.
            if not hasattr(error, "format_message"):
                raise
            message = error.format_message().removeprefix("Invalid value: ").strip()
            if message:
                typer.echo(f"Error: {message}{_help_hint(error)}", err=True)
            code = getattr(error, "exit_code", 2)
        sys.exit(code if isinstance(code, int) else 0)


@contextmanager
def plain_errors(*kinds: type[Exception]) -> Iterator[None]:
    """Turns errors that are meant for people into the command line's own."""
    try:
        yield
    except kinds as error:
        raise typer.BadParameter(str(error)) from error


def _help_hint(error: Exception) -> str:
    context = getattr(error, "ctx", None)
    return f" See `{context.command_path} --help`." if context is not None else ""
