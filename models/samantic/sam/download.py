"""Downloading a checkpoint: resumed where it stopped, verified before it counts, never a half file under its name."""

from __future__ import annotations

import os
import shutil
import threading
from dataclasses import replace
from pathlib import Path

from filelock import FileLock, Timeout

from samantic.sam.checkpoint_file import (
    CheckpointFile,
    Progress,
    WeightsError,
    find_file,
    record_hash,
    verify_file,
)
from samantic.sam.home import weights_folder
from samantic.sam.http_transfer import TransferError, remove_part, transfer
from samantic.sam.zoo import Checkpoint

_FRUITLESS_ATTEMPTS = 3
_PAUSE_S = 0.2


def fetch_checkpoint(
    checkpoint: Checkpoint,
    folder: Path | None = None,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
    stall_timeout_s: float = 30.0,
) -> CheckpointFile:
    """The verified file of a checkpoint, downloaded into `folder` (default: the weights folder) if it is not here.

    The offline folder `SAMANTIC_WEIGHTS` is looked at first. A download goes to `<file name>.part`, which a later
    call continues; it is renamed once its size and SHA-256 are right. `progress` is called with the bytes done and
    the bytes in all. Raises WeightsError with one plain sentence where a file on this machine is the wrong one,
    `cancel` was set (noticed when the next bytes arrive), or no address delivered the file; a connection on which
    next to nothing arrives for `stall_timeout_s` seconds counts as lost.
    """
    present = find_file(checkpoint, folder)
    if present is not None:
        return verify_file(checkpoint, present, progress)
    target = (folder or weights_folder()) / checkpoint.file_name
    part = target.with_name(f"{target.name}.part")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(target.with_name(f".{target.name}.lock"), timeout=0):
            if target.is_file():  # another process has just brought it
                return verify_file(checkpoint, target, progress)
            return _download(checkpoint, part, target, progress, cancel or threading.Event(), stall_timeout_s)
    except Timeout:
        raise WeightsError(f"{checkpoint.name} is being downloaded by another process; wait for it to end.") from None


def _download(
    checkpoint: Checkpoint,
    part: Path,
    target: Path,
    progress: Progress | None,
    cancel: threading.Event,
    stall_timeout_s: float,
) -> CheckpointFile:
    is_resumed = _size(part) > 0
    _check_space(part, checkpoint)
    _fill(part, checkpoint, progress, cancel, stall_timeout_s)
    try:
        found = verify_file(checkpoint, part, remedy="it was removed, nothing else was changed")
    except WeightsError:
        remove_part(part)
        if is_resumed:  # its beginning may be that of an older file
            return _download(checkpoint, part, target, progress, cancel, stall_timeout_s)
        raise
    if not found.is_verified:
        record_hash(target, found.sha256)
    with part.open("r+b") as file:
        os.fsync(file.fileno())
    part.replace(target)
    remove_part(part)
    return replace(found, path=target)


def _fill(
    part: Path, checkpoint: Checkpoint, progress: Progress | None, cancel: threading.Event, stall_timeout_s: float
) -> None:
    """Completes the part file from the first address that delivers; goes on where a connection broke."""
    reasons = []
    for url in checkpoint.urls:
        fruitless = 0
        while fruitless < _FRUITLESS_ATTEMPTS:
            before = _size(part)
            try:
                transfer(url, part, checkpoint.size_bytes, progress, cancel, stall_timeout_s)
                return
            except TransferError as error:
                reason = str(error)
                if cancel.is_set():
                    raise WeightsError(f"The download of {checkpoint.name} was cancelled; {_kept(part)}.") from None
                # A trickle must not count as getting on, or it would go on for days.
                is_getting_on = _size(part) - before > checkpoint.size_bytes / 100
                fruitless = 0 if is_getting_on else fruitless + 1
                if not error.is_worth_another_try:
                    break
                cancel.wait(_PAUSE_S * fruitless)
        reasons.append(reason)
    raise WeightsError(
        f"{checkpoint.name} could not be downloaded: {'; '.join(dict.fromkeys(reasons))}; {_kept(part)}."
    )


def _check_space(part: Path, checkpoint: Checkpoint) -> None:
    needed = checkpoint.size_bytes - _size(part)
    free = shutil.disk_usage(part.parent).free
    if needed > free:
        raise WeightsError(
            f"{checkpoint.name} needs {_mb(needed)} more in {part.parent}, but only {_mb(free)} are free there."
        )


def _kept(part: Path) -> str:
    size = _size(part)
    return f"{_mb(size)} are kept, and the next download goes on from there" if size else "nothing was kept"


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _mb(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
