"""Finding a checkpoint's file on this machine and making sure that it is the right one."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from samantic.imaging.atomic import atomic_path
from samantic.sam.home import weights_folder
from samantic.sam.zoo import Checkpoint

Progress = Callable[[int, int], None]

_BLOCK_BYTES = 4 * 1024 * 1024


class WeightsError(RuntimeError):
    """Weights that are missing, wrong or cannot be fetched; the message is one plain sentence."""


@dataclass(frozen=True)
class CheckpointFile:
    """A file on this machine whose size, and hash where one is known, are right.

    `is_verified` is false where no hash is published: then only the size was compared, and the hash with the one
    found at the first download.
    """

    path: Path
    sha256: str
    is_verified: bool


def offline_folder() -> Path | None:
    """The folder that `SAMANTIC_WEIGHTS` names, or None; raises WeightsError where there is no such folder."""
    named = os.environ.get("SAMANTIC_WEIGHTS", "").strip()
    if not named:
        return None
    folder = Path(named).expanduser()
    if not folder.is_dir():
        raise WeightsError(f"SAMANTIC_WEIGHTS names {folder}, which is no folder; correct it or unset it.")
    return folder


def find_file(checkpoint: Checkpoint, folder: Path | None = None) -> Path | None:
    """Where the checkpoint lies: the offline folder first, then `folder` (default: the weights folder); or None."""
    for candidate in (offline_folder(), folder or weights_folder()):
        if candidate is not None and (candidate / checkpoint.file_name).is_file():
            return candidate / checkpoint.file_name
    return None


def verify_file(
    checkpoint: Checkpoint, path: Path, progress: Progress | None = None, remedy: str | None = None
) -> CheckpointFile:
    """The file, if it is the checkpoint; else WeightsError with what was expected, what was found and the remedy.

    `progress` is called with the bytes read and the bytes in all.
    """
    size = path.stat().st_size
    digest = sha256_of(path, progress)
    known = checkpoint.sha256 or _recorded(path)
    if size != checkpoint.size_bytes or (known is not None and digest != known):
        expected = f"SHA-256 {known}" if known else "no published SHA-256"
        what = "only a part of" if size < checkpoint.size_bytes else "not"
        raise WeightsError(
            f"{path} is {what} {checkpoint.name}: expected {checkpoint.size_bytes} bytes and {expected}, "
            f"found {size} bytes and SHA-256 {digest}; "
            f"{remedy or f'remove the file and run `samantic models download {checkpoint.name}`'}."
        )
    return CheckpointFile(path, digest, is_verified=checkpoint.sha256 is not None)


def sha256_of(path: Path, progress: Progress | None = None) -> str:
    """SHA-256 of a file in hexadecimal."""
    digest = hashlib.sha256()
    total = path.stat().st_size
    done = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
            done += len(block)
            if progress is not None:
                progress(done, total)
    return digest.hexdigest()


def record_hash(path: Path, digest: str) -> None:
    """Keeps the hash found at the first download beside the file, as `sha256sum --check` reads it."""
    with atomic_path(_record(path)) as temporary:
        temporary.write_text(f"{digest}  {path.name}\n", encoding="utf-8")


def _recorded(path: Path) -> str | None:
    try:
        words = _record(path).read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError):
        return None
    return words[0] if words else None


def _record(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")
