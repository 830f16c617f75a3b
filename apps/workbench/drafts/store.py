"""Drafts in a folder: the segments as `.seg.nrrd`, and a note that says of which image of which server they are.

The note is written last and replaced as a whole, so a draft is there whole or as it was before. Every process writes
drafts of its own; two workbenches on one image do not take each other's.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
from SamanticLib.errors import file_error
from SamanticLib.saving import PREFIX, whole_file

from .seg_nrrd import write_seg_nrrd
from .snapshot import KeptSegment, Snapshot

ENDING = ".seg.nrrd"
MOST_DRAFTS = 20
STRAY_AFTER_S = 24 * 3600.0
"""Files that no note tells of are those of a crash, or of a process that is writing just now."""


@dataclass(frozen=True)
class Draft:
    """A draft on the disk: where its segments and its note are, when it was written, and what is to be in it."""

    path: Path
    note: Path
    saved_at: datetime
    segments: tuple[KeptSegment, ...]

    @property
    def drawn(self) -> int:
        """How many segments hold something."""
        return sum(segment.voxels > 0 for segment in self.segments)


@dataclass(frozen=True)
class DraftPlace:
    """Whose draft: an image of a server, and the fingerprint of its voxels, since names are given again."""

    server: str
    image_id: str
    fingerprint: str

    @property
    def key(self) -> str:
        """The beginning of the names of its files."""
        return hashlib.sha256(f"{self.server}\n{self.image_id}".encode()).hexdigest()[:20]


def drafts_folder() -> Path:
    """Return where the drafts of this machine are: in SAMANTIC_HOME, or ~/.samantic; not created here."""
    # `samantic.sam.home` says it as well, but would bring PyTorch into the workbench.
    named = os.environ.get("SAMANTIC_HOME", "").strip()
    return (Path(named).expanduser() if named else Path.home() / ".samantic") / "workbench" / "drafts"


def fingerprint_of(voxels: np.ndarray, ijk_to_ras: np.ndarray) -> str:
    """Return what is another text for another image: of its voxels, their number and type, and where they lie."""
    said = hashlib.blake2b(f"{voxels.shape} {voxels.dtype.str}".encode(), digest_size=16)
    said.update((np.round(ijk_to_ras, 4) + 0.0).tobytes())
    said.update(np.ascontiguousarray(voxels).data)
    return said.hexdigest()


class DraftStore:
    """The drafts of a folder, the newest 20 of them. Source: ours."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process = secrets.token_hex(6)

    def write(self, place: DraftPlace, snapshot: Snapshot) -> Draft:
        """Keep a snapshot in place of this process's last draft of the image; DiskFull, or SamanticError of the disk.

        The oldest drafts make room.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise file_error(error, "the draft", self._folder) from error
        name = f"{place.key}-{self._process}"
        path = self._folder / f"{name}-{secrets.token_hex(4)}{ENDING}"
        write_seg_nrrd(path, snapshot)
        note, now = self._folder / f"{name}.json", datetime.now(timezone.utc)
        said = {
            **asdict(place),
            "saved_at": now.isoformat(),
            "file": path.name,
            "segments": [asdict(segment) for segment in snapshot.segments],
        }
        with whole_file(note, "the draft") as file:
            file.write(json.dumps(said, ensure_ascii=False, indent=1).encode("utf-8"))
        for old in self._folder.glob(f"{name}-*{ENDING}"):
            if old != path:
                old.unlink(missing_ok=True)
        self._make_room(note)
        return Draft(path, note, now, snapshot.segments)

    def newest(self, place: DraftPlace) -> Draft | None:
        """Return the newest draft of an image, whoever wrote it; None for none of exactly these voxels."""
        found = [draft for draft, of in self._all(f"{place.key}-*.json") if of == place and draft.path.is_file()]
        return max(found, key=lambda draft: draft.saved_at, default=None)

    def remove(self, draft: Draft) -> None:
        """Remove a draft, the note first; what is gone already is no error."""
        draft.note.unlink(missing_ok=True)
        draft.path.unlink(missing_ok=True)

    def remove_own(self, place: DraftPlace) -> None:
        """Remove what this process has kept of an image."""
        name = f"{place.key}-{self._process}"
        (self._folder / f"{name}.json").unlink(missing_ok=True)
        for path in self._folder.glob(f"{name}-*{ENDING}"):
            path.unlink(missing_ok=True)

    def _make_room(self, own: Path) -> None:
        drafts = sorted(self._all("*.json"), key=lambda one: one[0].saved_at, reverse=True)
        for draft, _ in drafts[MOST_DRAFTS:]:
            if draft.note != own:
                self.remove(draft)
        known = {draft.path for draft, _ in drafts}
        for path in (*self._folder.glob(f"*{ENDING}"), *self._folder.glob(f"{PREFIX}*")):
            if path not in known and _age_s(path) > STRAY_AFTER_S:
                path.unlink(missing_ok=True)

    def _all(self, pattern: str) -> Iterator[tuple[Draft, DraftPlace]]:
        for note in self._folder.glob(pattern):
            read = _read(note)
            if read is not None:
                yield read


def _read(note: Path) -> tuple[Draft, DraftPlace] | None:
    """Return what a note says; None for one that is gone or that nobody here has written."""
    try:
        said = json.loads(note.read_text(encoding="utf-8"))
        segments = tuple(KeptSegment(**{**one, "rgb": tuple(one["rgb"])}) for one in said["segments"])
        path = note.with_name(Path(said["file"]).name)
        place = DraftPlace(said["server"], said["image_id"], said["fingerprint"])
        return Draft(path, note, datetime.fromisoformat(said["saved_at"]), segments), place
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _age_s(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0.0
