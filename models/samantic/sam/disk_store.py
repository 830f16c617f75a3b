"""Embeddings on disk, for the next start of the server; least recently used first out."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import stat
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import safetensors.torch
import torch

from samantic.imaging.atomic import atomic_path, is_temporary
from samantic.sam.half_precision import Tensors, bytes_of

_log = logging.getLogger(__name__)
_ENTRY = re.compile(r"[0-9a-f]{64}\.safetensors")
_ABANDONED_AFTER_S = 600.0


class DiskStore:
    """At most `budget_bytes` of embeddings in a private folder (mode 0700), one safetensors file each (mode 0600).

    Several processes may share the folder, and may then exceed the budget by one entry each: files appear whole
    (written aside and renamed) and carry a checksum, and a file that cannot be read counts as absent. A full disk or
    a folder that cannot be written costs one warning and the persistence, nothing else.
    """

    def __init__(self, folder: Path, budget_bytes: int) -> None:
        self._folder = Path(folder)
        self._budget_bytes = budget_bytes
        self._lock = threading.Lock()
        self._warned = False
        try:
            _make_private(self._folder)
            self._usable = True
        except OSError as error:
            self._usable = False
            self._warn(error)

    def __contains__(self, digest: str) -> bool:
        return self._usable and self._path(digest).is_file()

    def get(self, digest: str) -> Tensors | None:
        """The entry, now the most recently used one; a damaged file is removed and counts as absent."""
        if not self._usable:
            return None
        path = self._path(digest)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        try:
            tensors = _decoded(data, digest)
        except Exception as error:  # a damaged file may fail in any way, and costs only the encoder pass
            _log.info("Dropping the damaged embedding %s (%s)", path, error)
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return tensors

    def put(self, digest: str, tensors: Tensors) -> None:
        """Writes the entry after making room for it; an entry larger than the budget is not written."""
        if not self._usable or bytes_of(tensors) > self._budget_bytes:
            return
        data = _encoded(tensors, digest)
        if len(data) > self._budget_bytes:
            return
        try:
            with self._lock:
                if not self._folder.is_dir():
                    _make_private(self._folder)
                self._make_room(len(data), keep=digest)
                self._write(digest, data)
        except FileNotFoundError:
            pass  # another process cleared the folder in this moment
        except OSError as error:
            self._warn(error)

    def usage(self) -> tuple[int, int]:
        """Number of entries and bytes on disk."""
        return usage_of(self._folder)

    def clear(self) -> int:
        """Removes every entry, also those of other processes, and returns how many there were."""
        return clear_folder(self._folder)

    def _path(self, digest: str) -> Path:
        return self._folder / f"{digest}.safetensors"

    def _write(self, digest: str, data: bytes) -> None:
        # Not synced to the disk: after a power cut the checksum tells, and the encoder runs once more.
        with atomic_path(self._path(digest), durable=False) as temporary:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)

    def _make_room(self, size: int, keep: str) -> None:
        now = time.time()
        entries = []
        total = size
        for path, status in _files(self._folder):
            abandoned = is_temporary(path) and now - status.st_mtime > _ABANDONED_AFTER_S
            if abandoned or path == self._path(keep):
                path.unlink(missing_ok=True)
                continue
            total += status.st_size
            if not is_temporary(path):
                entries.append((status.st_mtime_ns, path, status.st_size))
        for _, path, bytes_on_disk in sorted(entries):
            if total <= self._budget_bytes:
                break
            path.unlink(missing_ok=True)
            total -= bytes_on_disk

    def _warn(self, error: OSError) -> None:
        if not self._warned:
            self._warned = True
            _log.warning(
                "Embeddings are kept in memory only, because the folder %s cannot be used (%s)", self._folder, error
            )


def usage_of(folder: Path) -> tuple[int, int]:
    """Number and bytes of the embeddings in a folder, which need not exist."""
    sizes = [status.st_size for path, status in _files(folder) if not is_temporary(path)]
    return len(sizes), sum(sizes)


def clear_folder(folder: Path) -> int:
    """Removes the embeddings in a folder and half-written ones, nothing else; returns how many there were."""
    removed = 0
    for path, _ in _files(folder):
        with contextlib.suppress(OSError):
            path.unlink()
            removed += not is_temporary(path)
    return removed


def _files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        with contextlib.suppress(OSError):
            if _is_ours(entry.name) and entry.is_file(follow_symlinks=False):
                yield Path(entry.path), entry.stat(follow_symlinks=False)


def _is_ours(name: str) -> bool:
    return _ENTRY.fullmatch(name) is not None or is_temporary(name)


def _make_private(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    if stat.S_IMODE(folder.stat().st_mode) & 0o077:
        # Images can be guessed from embeddings, so nobody else may read them; but a folder that holds other things
        # is not ours to close.
        foreign = next((entry.name for entry in os.scandir(folder) if not _is_ours(entry.name)), None)
        if foreign is not None:
            raise PermissionError(f"it is open to other users and holds other files such as {foreign}")
        folder.chmod(0o700)


def _encoded(tensors: Tensors, digest: str) -> bytes:
    return safetensors.torch.save(tensors, {"digest": digest, "crc32": _checksum(tensors)})


def _decoded(data: bytes, digest: str) -> Tensors:
    length = int.from_bytes(data[:8], "little")
    metadata = json.loads(data[8 : 8 + length])["__metadata__"]
    tensors = safetensors.torch.load(data)
    if metadata["digest"] != digest:
        raise ValueError("it is the embedding of another image")
    if metadata["crc32"] != _checksum(tensors):
        raise ValueError("its checksum does not fit")
    return tensors


def _checksum(tensors: Tensors) -> str:
    checksum = 0
    for name in sorted(tensors):
        tensor = tensors[name]
        checksum = zlib.crc32(f"{name} {tensor.dtype} {tuple(tensor.shape)} ".encode(), checksum)
        checksum = zlib.crc32(tensor.reshape(-1).view(torch.uint8).numpy().data, checksum)
    return f"{checksum:08x}"
