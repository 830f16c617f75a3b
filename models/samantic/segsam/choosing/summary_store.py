"""Summaries on disk, so that the next start of a server looks at no image twice."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import math
import os
from pathlib import Path

import numpy as np

from samantic.imaging import atomic_path, is_temporary
from samantic.sam.home import samantic_home
from samantic.segsam.choosing.image_summary import ImageSummary, SummaryOptions

FORMAT = "samantic.summary/1"
_MOST_BYTES = 1 << 20
_LOOK_EVERY = 256

logger = logging.getLogger(__name__)


def summaries_folder() -> Path:
    """Where summaries are kept between runs."""
    return samantic_home() / "cache" / "summaries"


def summary_key(content_hash: str, identity: str, options: SummaryOptions) -> str:
    """sha256 of all that a summary depends on: the image, who looks (weights), the classes and the number of slices."""
    parts = [FORMAT, content_hash, identity, sorted(options.classes), options.slices]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


class SummaryStore:
    """At most `most_entries` summaries, one small JSON file each; the least recently used go first.

    Threads and processes may share the folder: files appear whole, and one that cannot be read counts as absent. A
    folder that cannot be written costs a warning and the persistence, nothing else. Source: ours.
    """

    def __init__(self, folder: Path, most_entries: int = 20_000) -> None:
        self._folder = Path(folder)
        self._most_entries = most_entries
        self._puts = 0
        self._warned = False

    def get(self, key: str) -> ImageSummary | None:
        """Return a summary, None if there is none."""
        path = self._path(key)
        try:
            if path.stat().st_size > _MOST_BYTES:
                return None
            found = _decoded(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return found

    def put(self, key: str, summary: ImageSummary) -> None:
        """Keep a summary, in place of one under the same key."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with atomic_path(self._path(key), durable=False) as temporary:
                temporary.write_text(_encoded(summary), encoding="utf-8")
            if self._puts % _LOOK_EVERY == 0:
                self._make_room()
            self._puts += 1
        except OSError as error:
            if not self._warned:
                self._warned = True
                logger.warning("Summaries of images are not kept, %s cannot be written (%s)", self._folder, error)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.json"

    def _make_room(self) -> None:
        entries = []
        for entry in os.scandir(self._folder):
            with contextlib.suppress(OSError):
                if entry.name.endswith(".json") and not is_temporary(entry.name):
                    entries.append((entry.stat().st_mtime_ns, entry.path))
        for _, path in sorted(entries)[: max(0, len(entries) - self._most_entries)]:
            Path(path).unlink(missing_ok=True)


def _encoded(summary: ImageSummary) -> str:
    embedding = [float(value) for value in summary.embedding]
    return json.dumps({"format": FORMAT, "uncertainty": summary.uncertainty, "embedding": embedding})


def _decoded(text: str) -> ImageSummary:
    stored = json.loads(text)
    uncertainty, embedding = stored["uncertainty"], np.array(stored["embedding"], dtype=np.float32)
    if stored["format"] != FORMAT or embedding.ndim != 1 or not embedding.size or not np.isfinite(embedding).all():
        raise ValueError("it is no summary")
    if uncertainty is not None and not (isinstance(uncertainty, float) and math.isfinite(uncertainty)):
        raise ValueError("its uncertainty is no number")
    return ImageSummary(uncertainty, embedding)
