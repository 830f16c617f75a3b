"""What became of every photograph, one line of JSON each: a run that was stopped or killed goes on from there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from samantic.imaging import atomic_path
from samantic.skinphoto.crop_search import Crop
from samantic.skinphoto.folder.errors import CropFolderError

RECORD = "record.jsonl"
FORMAT = "samantic.crops/1"


@dataclass(frozen=True)
class PhotographEntry:
    """One photograph: its path under the folder, what tells whether it changed, and what was found.

    `shape` (rows, cols) upright, and shares of `skin` and `lesion`, are None where there is a `problem`: why it could
    not be read. `files` are the crops' paths under the folder of crops.
    """

    photograph: str
    size: int
    modified_ns: int
    shape: tuple[int, int] | None = None
    skin: float | None = None
    lesion: float | None = None
    crops: tuple[Crop, ...] = ()
    files: tuple[str, ...] = ()
    problem: str | None = None


class CropRecord:
    """The entries so far, in a file that is only ever added to; a line that a kill cut off is dropped. Source: ours."""

    def __init__(self, folder: Path, entries: dict[str, PhotographEntry]) -> None:
        self._path = folder / RECORD
        self.entries = entries

    @classmethod
    def opened(cls, folder: Path, settings: Mapping[str, Any]) -> CropRecord:
        """Begin or go on with a record; CropFolderError where the folder was begun with other settings."""
        path = folder / RECORD
        header = json.dumps({"format": FORMAT, "settings": settings}, sort_keys=True)
        if not path.exists():
            with atomic_path(path) as temporary:
                temporary.write_text(header + "\n", encoding="utf-8")
            return cls(folder, {})
        text = path.read_text(encoding="utf-8", errors="replace")
        whole = text[: text.rfind("\n") + 1]
        first, *lines = whole.splitlines() or [""]
        if first != header:
            raise CropFolderError(
                f"'{folder}' was begun with other weights or settings, or holds something else: name a new folder, or "
                f"remove {RECORD} to begin again."
            )
        try:
            entries = [_entry(json.loads(line)) for line in lines]
        except (ValueError, TypeError, KeyError) as error:
            raise CropFolderError(f"{path} is damaged: remove it to begin again.") from error
        if whole != text:
            with atomic_path(path) as temporary:
                temporary.write_text(whole, encoding="utf-8")
        return cls(folder, {entry.photograph: entry for entry in entries})

    def add(self, entry: PhotographEntry) -> None:
        """Note a photograph; it is on the disk when this returns, but for a power cut."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(entry)) + "\n")
        self.entries[entry.photograph] = entry


def _entry(values: dict[str, Any]) -> PhotographEntry:
    shape = values.pop("shape")
    crops = tuple(Crop(**crop) for crop in values.pop("crops"))
    files = tuple(values.pop("files"))
    return PhotographEntry(shape=None if shape is None else (shape[0], shape[1]), crops=crops, files=files, **values)
