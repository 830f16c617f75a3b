"""A folder of photographs -> a folder of crops, a table and a sheet to look at."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from filelock import FileLock, Timeout

from samantic.imaging import ImageReadError, image_suffix, is_temporary
from samantic.imaging.readers import PHOTOGRAPHS
from samantic.skinphoto.classes import BACKGROUND, LESION
from samantic.skinphoto.crop_search import CropSearch
from samantic.skinphoto.folder.crop_files import write_crops
from samantic.skinphoto.folder.errors import CropFolderError
from samantic.skinphoto.folder.html_sheet import write_sheets
from samantic.skinphoto.folder.record import CropRecord, PhotographEntry
from samantic.skinphoto.folder.tables import write_tables
from samantic.skinphoto.photograph_crops import photograph_crops, searched_shape
from samantic.skinphoto.segmenter import SkinAnswer
from samantic.skinphoto.upright import read_upright


class Segmenter(Protocol):
    """What finds skin and lesions; `SkinSegmenter` is one."""

    weights_hash: str

    def segment(self, photograph: np.ndarray) -> SkinAnswer: ...


@dataclass(frozen=True)
class CropProgress:
    """How far it is: photographs done of all, their crops, how many gave none and how many could not be read."""

    done: int
    photographs: int
    crops: int
    without: int
    unread: int
    now: str


@dataclass(frozen=True)
class Cropped:
    """The photographs, sorted by path; `finished` says whether all were looked at."""

    entries: tuple[PhotographEntry, ...]
    finished: bool

    @property
    def unread(self) -> tuple[PhotographEntry, ...]:
        """Those that could not be read."""
        return tuple(entry for entry in self.entries if entry.shape is None)


def crop_folder(
    folder: Path,
    out: Path,
    segmenter: Segmenter,
    search: CropSearch | None = None,
    *,
    on_progress: Callable[[CropProgress], None] = lambda _: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Cropped:
    """Crop every photograph under `folder` and write crops, `crops.csv`, `photographs.csv` and `sheet.html` to `out`.

    One photograph is in memory at a time. Stopped or killed at any moment and called again, it goes on; photographs
    that were done are left alone unless their files changed. Those that cannot be read are named and left out.
    CropFolderError: there are no photographs, or `out` was begun otherwise or is in use. Source: ours.
    """
    search = search or CropSearch()
    names = sorted(_photographs(folder, out))
    if not names:
        raise CropFolderError(f"There are no photographs ({', '.join(PHOTOGRAPHS)}) in '{folder}'.")
    out.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(out / ".crops.lock").acquire(timeout=0):
            settings = {"weights": segmenter.weights_hash, "search": asdict(search)}
            record = CropRecord.opened(out, settings)
            finished = _all(folder, names, out, segmenter, search, record, on_progress, is_cancelled)
            entries = tuple(record.entries[name] for name in names if name in record.entries)
            write_tables(out, entries, search.rule.skin_percent, search.rule.lesion_percent)
            write_sheets(out, entries)
    except Timeout:
        raise CropFolderError(f"Another process is writing crops to '{out}'; wait for it, or stop it.") from None
    return Cropped(entries, finished)


def _all(
    folder: Path,
    names: list[str],
    out: Path,
    segmenter: Segmenter,
    search: CropSearch,
    record: CropRecord,
    on_progress: Callable[[CropProgress], None],
    is_cancelled: Callable[[], bool],
) -> bool:
    crops = without = unread = 0
    for done, name in enumerate(names):
        on_progress(CropProgress(done, len(names), crops, without, unread, name))
        if is_cancelled():
            return False
        entry = record.entries.get(name)
        try:
            status = (folder / name).stat()
        except OSError:  # it went away meanwhile
            record.entries.pop(name, None)
            continue
        if entry is None or (entry.size, entry.modified_ns) != (status.st_size, status.st_mtime_ns):
            entry = _cropped(folder, name, status, out, segmenter, search)
            record.add(entry)
        crops += len(entry.crops)
        unread += entry.shape is None
        without += entry.shape is not None and not entry.crops
    on_progress(CropProgress(len(names), len(names), crops, without, unread, ""))
    return True


def _cropped(
    folder: Path, name: str, status: os.stat_result, out: Path, segmenter: Segmenter, search: CropSearch
) -> PhotographEntry:
    seen = (name, status.st_size, status.st_mtime_ns)
    try:
        pixels = read_upright(folder / name)
    except ImageReadError as error:
        return PhotographEntry(*seen, problem=str(error))
    except (OSError, MemoryError) as error:
        return PhotographEntry(*seen, problem=f"'{name}' cannot be read ({error})")
    shape = (pixels.shape[0], pixels.shape[1])
    answer = segmenter.segment(pixels)
    crops = photograph_crops(answer, shape, search)
    labels = answer.labels(searched_shape(shape))
    files = write_crops(out, name, pixels, crops)
    skin, lesion = float((labels != BACKGROUND).mean()), float((labels == LESION).mean())
    return PhotographEntry(*seen, shape, skin, lesion, crops, files)


def _photographs(folder: Path, out: Path) -> Iterator[str]:
    """Paths under `folder` with slashes, but for what lies in `out` and hidden folders."""
    hidden = out.resolve()
    for root, folders, files in os.walk(folder):
        folders[:] = [one for one in folders if not one.startswith(".") and (Path(root) / one).resolve() != hidden]
        for name in files:
            if image_suffix(name) in PHOTOGRAPHS and not name.startswith(".") and not is_temporary(name):
                yield (Path(root) / name).relative_to(folder).as_posix()
