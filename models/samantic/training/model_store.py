"""Weights that training published: every version is kept, one is served, and a kill at any moment leaves a good one."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from samantic.imaging.atomic import TEMPORARY_PREFIX, atomic_path, flush, is_temporary

CURRENT = "current.json"
WEIGHTS = "model.safetensors"
NOTES = "notes.json"
BUNDLED = "bundled"

PATIENCE_S = 2.0
"""How long one waits for the lock: others hold it for moments, or for a whole training."""


class ModelStoreError(ValueError):
    """There is no such version, or the store's files cannot be used; the message is one plain sentence."""


class UnknownVersionError(ModelStoreError):
    """There is no such version; the message says which there are."""


class StoreBusyError(RuntimeError):
    """Another process trains or publishes; the message is one plain sentence."""


@dataclass(frozen=True)
class PublishedModel:
    """One version: its name, its weights file, and what was noted: who its parent is, what it learned from, how well.

    Every version's notes hold `published_at` (ISO 8601, UTC), `sha256` of the weights and `previous`, the version that
    was served before (None: the bundled weights), beside what the publisher noted.
    """

    version: str
    path: Path
    notes: Mapping[str, Any]


class ModelStore:
    """The versions of one model in a folder; readers never wait and never see half a version.

    A version is a folder `0001`, `0002`, … that is written under a temporary name, flushed and renamed. Then the small
    file `current.json` is replaced as a whole to say that it is served; the time stamp of that file tells a reader that
    something changed. A kill between the two leaves a whole version that is not served. Source: ours.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self._lock = FileLock(self.folder / "lock")

    def current(self) -> PublishedModel | None:
        """Return the version that is served, None for the bundled weights. Raises ModelStoreError."""
        version = self._served()
        return None if version is None else self._read(version)

    def history(self) -> tuple[PublishedModel, ...]:
        """Return every version that is there, the oldest first. Raises ModelStoreError."""
        return tuple(self._read(name) for name in self._versions())

    def stamp(self) -> tuple[int, ...] | None:
        """Return what every change of what is served changes, at the price of one `stat`; None before the first."""
        try:
            status = (self.folder / CURRENT).stat()
        except FileNotFoundError:
            return None
        return status.st_mtime_ns, status.st_ino, status.st_size

    def publish(self, write: Callable[[Path], None], notes: Mapping[str, Any]) -> PublishedModel:
        """Let `write` write the weights to a path, note what is known of them, and serve them from now on.

        Whatever goes wrong or dies before the end leaves the store as it was. Raises StoreBusyError.
        """
        with self.alone("Something else is being published"):
            previous = self._served()
            version = f"{max(map(int, self._versions()), default=0) + 1:04d}"
            folder = self.folder / f"{TEMPORARY_PREFIX}{version}"
            _removed(folder)
            folder.mkdir()
            try:
                write(folder / WEIGHTS)
                noted = {
                    **notes,
                    "published_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
                    "previous": previous,
                    "sha256": _sha256(folder / WEIGHTS),
                }
                (folder / NOTES).write_text(json.dumps(noted, indent=1, allow_nan=False) + "\n", encoding="utf-8")
                for path in (folder / WEIGHTS, folder / NOTES, folder):
                    flush(path)
                folder.rename(self.folder / version)
            except BaseException:
                _removed(folder)
                raise
            flush(self.folder)
            self._serve(version)
            return self._read(version)

    def before(self) -> str:
        """Return what was served before what is served now, a version or `BUNDLED`.

        Raises ModelStoreError where the bundled weights are served.
        """
        current = self.current()
        if current is None:
            raise ModelStoreError("The bundled weights are served already; there is nothing before them.")
        return current.notes.get("previous") or BUNDLED

    def rollback(self, to: str | None = None) -> PublishedModel | None:
        """Serve an earlier (or later) version again, or the bundled weights for None, and return it.

        Raises UnknownVersionError for a version that is not there, ModelStoreError for a damaged one, StoreBusyError.
        """
        with self.alone("A training is running"):
            known = self._versions()
            if to is not None and to not in known:
                there = f"there is {', '.join(known)}" if known else "nothing has been published yet"
                raise UnknownVersionError(f"There is no version '{to[:40]}' of this model; {there}, and {BUNDLED}.")
            found = None if to is None else self._read(to)
            if known:
                self._serve(to)
            return found

    @contextmanager
    def alone(self, otherwise: str = "A training is running") -> Iterator[None]:
        """Keep every other process, and thread, from publishing and training in the block.

        The system frees the lock when its process dies. Raises StoreBusyError, whose message begins with `otherwise`.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire(timeout=PATIENCE_S)
        except Timeout:
            raise StoreBusyError(
                f"{otherwise} already for the models in {self.folder}; wait until it is done."
            ) from None
        try:
            yield
        finally:
            self._lock.release()

    def clean_up(self) -> None:
        """Remove what killed processes left half-written; nothing if somebody is at work there. Source: ours."""
        if not self.folder.is_dir():
            return
        try:
            with self._lock.acquire(timeout=0):
                for path in self.folder.iterdir():
                    if is_temporary(path):
                        _removed(path)
        except Timeout:
            return

    def _versions(self) -> list[str]:
        if not self.folder.is_dir():
            return []
        return sorted((path.name for path in self.folder.iterdir() if path.name.isdecimal()), key=int)

    def _read(self, version: str) -> PublishedModel:
        folder = self.folder / version
        try:
            notes = json.loads((folder / NOTES).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ModelStoreError(
                f"The notes of version {version} in {self.folder} cannot be read: {error}."
            ) from error
        if not isinstance(notes, dict) or not (folder / WEIGHTS).is_file():
            raise ModelStoreError(f"The version {version} in {self.folder} is damaged; roll back to another one.")
        return PublishedModel(version, folder / WEIGHTS, notes)

    def _served(self) -> str | None:
        path = self.folder / CURRENT
        try:
            version = json.loads(path.read_text(encoding="utf-8"))["current"]
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelStoreError(f"{path} cannot be read ({error!r}); roll back to a version to mend it.") from error
        if version is not None and version not in self._versions():
            raise ModelStoreError(f"{path} names the version '{version}', which is gone; roll back to another one.")
        return None if version is None else str(version)

    def _serve(self, version: str | None) -> None:
        with atomic_path(self.folder / CURRENT) as temporary:
            temporary.write_text(json.dumps({"current": version}) + "\n", encoding="utf-8")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _removed(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    elif os.path.lexists(path):
        path.unlink()
