"""What lies in a studies folder: image files, DICOM series folders and label files."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from samantic.app.lib.datastore.names import image_extension, label_extension

LABELS_FOLDER = "labels"
TRUTH_FOLDER = "truth"
ASIDE_FOLDER = ".samantic"
MAX_DEPTH = 5

# A folder changed this recently may change again within the resolution of its time stamp.
UNSETTLED_NS = 100_000_000


@dataclass(frozen=True)
class Listing:
    """One look at a studies folder.

    files: names of image files; series: DICOM folders, as paths relative to the studies folder ("." is the studies
    folder itself) -> time stamp; labels: tag -> names of label files; folders: (path, time stamp) of every folder
    looked into, so that a change is noticed by a few stat calls. Source: ours.
    """

    studies: Path
    files: frozenset[str]
    series: dict[str, int]
    labels: dict[str, frozenset[str]]
    folders: tuple[tuple[str, int], ...]

    def is_current(self) -> bool:
        """Whether no folder looked into has changed since."""
        return all(stamp and _time_stamp(folder) == stamp for folder, stamp in self.folders)


def list_studies(studies: Path) -> Listing:
    """Look into `studies`: image files at its top, DICOM series at any depth up to five, labels/<tag>/<label file>.

    Hidden entries and the demo's `truth` folder are passed over. Source: ours.
    """
    folders: list[tuple[str, int]] = []
    series: dict[str, int] = {}
    files: set[str] = set()
    for folder, entries in _walk(studies, MAX_DEPTH, folders):
        if folder == studies:
            files = {entry.name for entry in entries if image_extension(entry.name) and entry.is_file()}
        if holds_dicom(entries):
            series[folder.relative_to(studies).as_posix()] = _time_stamp(str(folder))
    labels = _label_files(studies / LABELS_FOLDER, folders)
    return Listing(studies, frozenset(files), series, labels, tuple(folders))


def holds_dicom(entries: list[os.DirEntry[str]]) -> bool:
    """Whether a folder's entries are slices of a DICOM series, judged by the first three files that may be."""
    candidates = sorted(
        entry.name for entry in entries if entry.name.upper() != "DICOMDIR" and _may_be_dicom(entry.name)
    )
    paths = {entry.name: entry for entry in entries}
    return any(_is_dicom(paths[name]) for name in candidates[:3])


def _walk(folder: Path, depth: int, folders: list[tuple[str, int]]) -> Iterator[tuple[Path, list[os.DirEntry[str]]]]:
    top = not folders
    folders.append((str(folder), _settled_time_stamp(str(folder))))
    try:
        entries = [entry for entry in os.scandir(folder) if not entry.name.startswith(".")]
    except OSError:
        if top:
            raise
        return
    yield folder, entries
    if depth == 0:
        return
    for entry in sorted(entries, key=lambda entry: entry.name):
        if entry.is_dir(follow_symlinks=top) and not (top and entry.name in (LABELS_FOLDER, TRUTH_FOLDER)):
            yield from _walk(Path(entry.path), depth - 1, folders)


def _label_files(labels: Path, folders: list[tuple[str, int]]) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    if not labels.is_dir():
        return found
    folders.append((str(labels), _settled_time_stamp(str(labels))))
    for tag in os.scandir(labels):
        if tag.is_dir() and not tag.name.startswith("."):
            folders.append((tag.path, _settled_time_stamp(tag.path)))
            names = (entry.name for entry in os.scandir(tag.path) if not entry.name.startswith("."))
            found[tag.name] = frozenset(name for name in names if label_extension(name))
    return found


def _may_be_dicom(name: str) -> bool:
    return Path(name).suffix.lower() in ("", ".dcm", ".ima", ".dicom") or not Path(name).suffix[1:].isalpha()


def _is_dicom(entry: os.DirEntry[str]) -> bool:
    try:
        if not entry.is_file():
            return False
        with Path(entry.path).open("rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:
        return False


def _settled_time_stamp(folder: str) -> int:
    # Taken before the folder is read. Zero says "look again": a change right after would not show in the time stamp.
    stamp = _time_stamp(folder)
    return stamp if time.time_ns() - stamp > UNSETTLED_NS else 0


def _time_stamp(folder: str) -> int:
    try:
        return Path(folder).stat().st_mtime_ns
    except OSError:
        return -1
