"""A folder that appears whole or not at all."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from samantic.exporting.errors import ExportError

INDEX = "export.json"
"""What every export holds, and by which an earlier one is known."""

PREFIX = ".samantic-export-"


def check_target(target: Path, studies: Path, overwrite: bool) -> None:
    """Raise ExportError if `target` cannot be made, would replace what is no export, or lies around the studies."""
    inside, around = target.resolve(), studies.resolve()
    if around.is_relative_to(inside) or inside.is_relative_to(around / "labels"):
        raise ExportError(f"'{target}' cannot be the export's folder, the studies are there; name a new folder.")
    if target.is_file():
        raise ExportError(f"'{target}' is a file; name a new folder.")
    if not target.absolute().parent.is_dir():
        raise ExportError(f"There is no folder '{target.absolute().parent}' to write the export to.")
    if not target.is_dir() or not any(target.iterdir()):
        return
    if not (target / INDEX).is_file():
        raise ExportError(f"'{target}' holds other files; name a new folder.")
    if not overwrite:
        raise ExportError(f"'{target}' holds an export already; name a new folder, or replace it with --overwrite.")


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Yield an empty folder beside `target` that replaces it when the block ends well, and is gone otherwise.

    The earlier folder is there until the new one is whole. Source: ours.
    """
    target = target.absolute()
    workshop = target.with_name(f"{PREFIX}{secrets.token_hex(8)}")
    workshop.mkdir()
    try:
        yield workshop
        if target.is_dir():
            _exchange(workshop, target)
        else:
            workshop.replace(target)
    except BaseException:
        shutil.rmtree(workshop, ignore_errors=True)
        raise


def _exchange(workshop: Path, target: Path) -> None:
    earlier = target.with_name(f"{PREFIX}{secrets.token_hex(8)}")
    target.replace(earlier)
    try:
        workshop.replace(target)
    except BaseException:
        earlier.replace(target)
        raise
    shutil.rmtree(earlier, ignore_errors=True)
