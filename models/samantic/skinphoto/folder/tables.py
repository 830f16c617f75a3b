"""What was found as two tables: of the crops, and of the photographs with what became of each."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from samantic.imaging import atomic_path
from samantic.skinphoto.folder.record import PhotographEntry

CROP_TABLE, PHOTOGRAPH_TABLE = "crops.csv", "photographs.csv"
CROP_COLUMNS = ("crop", "photograph", "left", "top", "side", "skin", "lesion")
PHOTOGRAPH_COLUMNS = ("photograph", "width", "height", "skin", "lesion", "crops", "note")

NO_CROP = "no part of it is surely more than {} % skin and more than {} % lesion"


def write_tables(out: Path, entries: Sequence[PhotographEntry], skin_percent: int, lesion_percent: int) -> None:
    """Write both tables, atomically; pixels are those of the upright photograph, shares 0 to 1."""
    crops = (
        (file, entry.photograph, crop.left, crop.top, crop.side, f"{crop.skin:.4f}", f"{crop.lesion:.4f}")
        for entry in entries
        for file, crop in zip(entry.files, entry.crops, strict=True)
    )
    _write(out / CROP_TABLE, CROP_COLUMNS, crops)
    without = NO_CROP.format(skin_percent, lesion_percent)
    _write(out / PHOTOGRAPH_TABLE, PHOTOGRAPH_COLUMNS, (_photograph(entry, without) for entry in entries))


def _photograph(entry: PhotographEntry, without: str) -> tuple[object, ...]:
    if entry.shape is None:
        return entry.photograph, "", "", "", "", 0, entry.problem
    rows, columns = entry.shape
    shares = (f"{entry.skin:.4f}", f"{entry.lesion:.4f}")
    return entry.photograph, columns, rows, *shares, len(entry.crops), "" if entry.crops else without


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(columns)
        table.writerows(rows)
