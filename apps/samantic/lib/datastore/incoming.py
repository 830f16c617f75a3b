"""Saving a label so that a kill at any moment leaves the old label with its notes, or the new one with its notes.

The new file is first put aside under a hidden name that carries its checksum; then the record with the same checksum
is written, which is the decision; then the file is renamed. A start finishes what was decided and drops the rest.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PREFIX = ".incoming-"
_NAME = re.compile(r"\.incoming-([0-9a-f]{64})-(.+)")


@dataclass(frozen=True)
class IncomingFile:
    """A file put aside, whole and on the disk: `path` is where it is, `name` what it will be called."""

    path: Path
    name: str
    checksum: str

    def settle(self) -> None:
        """Give the file its name, durably."""
        self.path.replace(self.path.with_name(self.name))
        flush_folder(self.path.parent)


def put_aside(source: Path, folder: Path, name: str) -> IncomingFile:
    """Copy `source` into `folder` under a hidden name; it becomes `name` when settled."""
    content = source.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    path = folder / f"{PREFIX}{digest}-{name}"
    try:
        with path.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return IncomingFile(path, name, f"SHA256:{digest}")


def finish_interrupted(folder: Path, is_decided: Callable[[str, str], bool]) -> None:
    """Settle the files put aside in `folder` for which `is_decided(name, checksum)`, remove the others."""
    for path in folder.glob(f"{PREFIX}*"):
        match = _NAME.fullmatch(path.name)
        checksum, name = (f"SHA256:{match[1]}", match[2]) if match else ("", "")
        if match and is_decided(name, checksum) and _checksum(path) == checksum:
            IncomingFile(path, name, checksum).settle()
        else:
            path.unlink(missing_ok=True)


def flush_folder(folder: Path) -> None:
    """Make the names in `folder` durable."""
    if os.name == "nt":  # Windows has no flush of folders and needs none.
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _checksum(path: Path) -> str:
    return f"SHA256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
