"""A picture of what a student finds, to be looked at while it is trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from samantic.datasets.labelled_view import LabelledView
from samantic.evaluation import SheetTile, dice, write_contact_sheet
from samantic.student.predictor import StudentPredictor

TILES_A_ROW = 6


def write_sheet(predictor: StudentPredictor, views: Sequence[LabelledView], path: Path) -> None:
    """Write a PNG with one tile a view: all classes as labelled and as found, and their mean Dice."""
    tiles = []
    for view in views:
        answer = predictor.segment(view.image)
        scores = [
            dice(answer.labels == answer.class_names.index(name) + 1, view.labels == place)
            for place, name in enumerate(view.class_names, 1)
        ]
        caption = f"Dice {np.mean(scores):.2f}  unsure {answer.border_uncertainty:.2f}"
        tiles.append(SheetTile(view.image, view.labels > 0, answer.labels > 0, caption, view.spacing_yx_mm))
    rows = [tiles[first : first + TILES_A_ROW] for first in range(0, len(tiles), TILES_A_ROW)]
    write_contact_sheet(path, [("Student" if not number else "", row) for number, row in enumerate(rows)])
