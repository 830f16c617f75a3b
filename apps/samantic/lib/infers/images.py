"""Images that clients work on, opened once and kept in memory within a bound."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from samantic.app.lib.infers.wire import RequestError
from samantic.imaging import ImageReadError, Volume, Window, read_volume, window_for

DEFAULT_BYTES = 2 * 1024**3
REMEMBERED_FILES = 4096


class OpenImages:
    """An LRU of opened images, shared by all clients, at most `max_bytes` of voxels in all.

    Images are known by what their files hold, so an image that is uploaded with every click is decoded once. Several
    clients asking for one unopened image wait for one reading. Source: ours.
    """

    def __init__(self, max_bytes: int = DEFAULT_BYTES) -> None:
        self._max_bytes = max_bytes
        self._volumes: OrderedDict[str, Volume] = OrderedDict()
        self._digests: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._reading: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def open(self, path: str) -> Volume:
        """Return the image in a file, or in a folder with a DICOM series.

        Raises RequestError if there is none and ImageReadError if it cannot be read.
        """
        if not path:
            raise RequestError("No image was named: give an image id, a session or a file.")
        file = Path(path)
        if not file.exists():
            raise RequestError("There is no such image in the studies; ask /datastore/ which there are.")
        digest = self._digest(file)
        with self._lock:
            volume = self._kept(digest)
            if volume is not None:
                return volume
            reading = self._reading.setdefault(digest, threading.Lock())
        try:
            with reading:
                with self._lock:
                    volume = self._kept(digest)
                if volume is None:
                    volume = _read(file)
                    volume.content_hash  # noqa: B018  worked out once here, not while somebody waits for a slice
                    self._keep(digest, volume)
                return volume
        finally:
            with self._lock:
                self._reading.pop(digest, None)

    @property
    def bytes_kept(self) -> int:
        """Voxel bytes held now."""
        with self._lock:
            return sum(volume.array.nbytes for volume in self._volumes.values())

    def _digest(self, file: Path) -> str:
        # Name, size and time stand for the content of a file that was seen before; the first time it is read whole.
        known_as = (str(file), _signature(file))
        with self._lock:
            digest = self._digests.get(known_as)
        if digest is None:
            digest = f"folder {known_as}" if file.is_dir() else _content_digest(file)
            with self._lock:
                self._digests[known_as] = digest
                while len(self._digests) > REMEMBERED_FILES:
                    self._digests.popitem(last=False)
        return digest

    def _kept(self, digest: str) -> Volume | None:
        volume = self._volumes.get(digest)
        if volume is not None:
            self._volumes.move_to_end(digest)
        return volume

    def _keep(self, digest: str, volume: Volume) -> None:
        with self._lock:
            self._volumes[digest] = volume
            while len(self._volumes) > 1 and sum(v.array.nbytes for v in self._volumes.values()) > self._max_bytes:
                self._volumes.popitem(last=False)


@cache
def usual_images() -> OpenImages:
    """Return the images that all models of a server have open together: one bound, and one reading, for all."""
    return OpenImages()


def named_image(params: Mapping[str, Any]) -> str:
    """Return the path of the image of a request; RequestError where it has none."""
    path = params.get("image")
    if not isinstance(path, str):
        raise RequestError("No image was named: give an image id, a session or a file.")
    return path


def usual_window(volume: Volume, preset: str | None) -> Window:
    """The window that a request names, or the usual one of the modality; "auto" and nothing mean the usual one."""
    return window_for(volume, None if preset in (None, "", "auto") else preset)


def _read(file: Path) -> Volume:
    try:
        return read_volume(file)
    except OSError as error:
        raise ImageReadError(f"The image cannot be opened: {error.strerror or 'unreadable file'}.") from error


def _signature(file: Path) -> str:
    if not file.is_dir():
        status = file.stat()
        return f"{status.st_size} {status.st_mtime_ns}"
    entries = sorted((entry.name, entry.stat().st_size, entry.stat().st_mtime_ns) for entry in file.iterdir())
    return hashlib.sha256(repr(entries).encode()).hexdigest()


def _content_digest(file: Path) -> str:
    # The name's extension says how the bytes are read, so it belongs to the content.
    digest = hashlib.sha256("".join(file.suffixes[-2:]).lower().encode())
    with file.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
