"""A picture of what the network finds, to be looked at while it is trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from samantic.evaluation import SheetTile, intersection_over_union, write_contact_sheet
from samantic.skinphoto.classes import BACKGROUND, LESION
from samantic.skinphoto.composites import Composite
from samantic.skinphoto.segmenter import SkinSegmenter

TILES_A_ROW = 6


def write_sheet(segmenter: SkinSegmenter, composites: Sequence[Composite], path: Path) -> None:
    """Write a PNG with two tiles a composite: skin with lesions, and lesions, as drawn and as found, and their IoU."""
    tiles: dict[str, list[SheetTile]] = {"skin": [], "lesion": []}
    for composite in composites:
        found = segmenter.segment(composite.image).labels((composite.labels.shape[0], composite.labels.shape[1]))
        for name, picked in (
            ("skin", lambda labels: labels != BACKGROUND),
            ("lesion", lambda labels: labels == LESION),
        ):
            truth, predicted = picked(composite.labels), picked(found)
            caption = f"IoU {intersection_over_union(predicted, truth):.2f}"
            tiles[name].append(SheetTile(composite.image, truth, predicted, caption))
    rows = []
    for first in range(0, len(composites), TILES_A_ROW):
        rows += [(name, some[first : first + TILES_A_ROW]) for name, some in tiles.items()]
    write_contact_sheet(path, rows)
