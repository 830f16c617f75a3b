"""The first pairs of a folder at a glance: refined mask as a white line, the generator's own mask tinted amber."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from samantic.besadiff.synthesis.manifest import Attempt
from samantic.besadiff.synthesis.pair_folder import PairFolder
from samantic.evaluation.contact_sheet import SheetTile, write_contact_sheet

CONTACT_SHEET = Path("report") / "contact_sheet.png"
"""Below the folder itself, whose pictures a datastore takes for images to annotate."""
COLUMNS, MOST_ROWS = 6, 6


def write_sheet(pairs: PairFolder, accepted: Sequence[Attempt]) -> Path | None:
    """Write `report/contact_sheet.png` of up to 36 accepted pairs and return its path; None where there are none."""
    tiles = [_tile(pairs, attempt) for attempt in accepted[: COLUMNS * MOST_ROWS]]
    if not tiles:
        return None
    rows = []
    for start in range(0, len(tiles), COLUMNS):
        line = tiles[start : start + COLUMNS]
        rows.append((f"Synthetic images {start + 1} to {start + len(line)}", line))
    path = pairs.folder / CONTACT_SHEET
    path.parent.mkdir(exist_ok=True)
    write_contact_sheet(path, rows)
    return path


def _tile(pairs: PairFolder, attempt: Attempt) -> SheetTile:
    assert attempt.name is not None
    image, mask, coarse = pairs.read(attempt.name)
    diagnosis = attempt.record["condition"]["diagnosis"] or "any"
    overlap = attempt.record["refinement"]["scores"]["iou_with_coarse"]
    caption = f"{int(attempt.name[-6:])} {diagnosis.replace('_', ' ')}, IoU {overlap:.2f}"
    return SheetTile(image, mask, coarse > 0.5, caption)
