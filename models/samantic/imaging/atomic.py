"""Write to a temporary name, then rename: a reader sees the old file or the new one, never half of one."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

TEMPORARY_PREFIX = ".samantic-tmp-"


@contextmanager
def atomic_path(path: Path | str, durable: bool = True) -> Iterator[Path]:
    """Yields a temporary path beside `path`, with the same suffix, that replaces `path` when the block ends well.

    On an error inside the block the temporary file is removed and `path` stays as it was. `durable` flushes file and
    folder to the disk before and after the rename, so that the new content also survives a power cut; leave it out
    only for files that nobody misses afterwards, such as an answer on its way to a client. Source: ours.
    """
    path = Path(path)
    temporary = path.with_name(f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}{_suffix(path)}")
    try:
        yield temporary
        if durable:
            flush(temporary)
        temporary.replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            temporary.unlink()
        raise
    if durable:
        flush(path.parent)


def is_temporary(path: Path | str) -> bool:
    """Whether a file name is one that `atomic_path` hands out, so that listings can pass over it. Source: ours."""
    return Path(path).name.startswith(TEMPORARY_PREFIX)


def remove_leftovers(folder: Path | str) -> int:
    """Removes the temporary files that a killed process left in `folder` and returns their number.

    Call it only while nobody writes there, as at start-up. Source: ours.
    """
    leftovers = [path for path in Path(folder).iterdir() if is_temporary(path) and path.is_file()]
    for path in leftovers:
        path.unlink(missing_ok=True)
    return len(leftovers)


def flush(path: Path) -> None:
    """Bring a file, or what a folder lists, to the disk, so that it survives a power cut. Source: ours."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except PermissionError:  # Windows does not open folders, and needs no flush of them.
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _suffix(path: Path) -> str:
    # Writers choose the format by the suffix; both parts of ".nii.gz" and ".seg.nrrd" matter to them.
    compound = len(path.suffixes) > 1 and path.suffixes[-2].lower() in (".nii", ".seg")
    return "".join(path.suffixes[-2:]) if compound else path.suffix
