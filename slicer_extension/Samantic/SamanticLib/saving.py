"""Files that are there whole or not at all: written under a temporary name, brought to the disk, renamed."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Callable

from SamanticLib.errors import file_error

OpenFile = Callable[[Path], IO[bytes]]

PREFIX = ".samantic-tmp-"


def new_file(path: Path) -> IO[bytes]:
    """Open a file for writing that must not be there yet."""
    return path.open("xb")


@contextmanager
def whole_file(path: Path, what: str, open_file: OpenFile = new_file) -> Iterator[IO[bytes]]:
    """Yield a file that becomes `path` when the block ends well; otherwise `path` stays as it was, and nothing is left.

    what: named in errors, such as "the image 'ct'". Raises DiskFull, and SamanticError for another error of the disk.
    """
    temporary = path.with_name(f"{PREFIX}{secrets.token_hex(8)}")
    try:
        with open_file(temporary) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        _remove(temporary)
        raise file_error(error, what, path) from error
    except BaseException:
        _remove(temporary)
        raise


def _remove(path: Path) -> None:
    try:
        path.unlink()
    except OSError:  # never made, or on a disk that is gone; the first error is the one to tell
        return
