"""A picture of what the segmenter finds, to be looked at while it is trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from samantic.besadiff.segmenter import LesionSegmenter
from samantic.datasets.labelled_view import LabelledView
from samantic.evaluation import SheetTile, dice, write_contact_sheet

TILES_A_ROW = 6


def write_sheet(segmenter: LesionSegmenter, views: Sequence[LabelledView], path: Path) -> None:
    """Write a PNG with one tile a view: the lesion as labelled and as found, Dice and how sure the members are."""
    tiles = []
    for view in views:
        answer = segmenter.segment(view.image)
        truth = view.labels > 0
        caption = f"Dice {dice(answer.mask, truth):.2f}  border {answer.boundary_confidence:.2f}"
        tiles.append(SheetTile(view.image, truth, answer.mask, caption))
    rows = [tiles[first : first + TILES_A_ROW] for first in range(0, len(tiles), TILES_A_ROW)]
    write_contact_sheet(path, [("Ensemble of five" if not index else "", row) for index, row in enumerate(rows)])
