"""A picture of what the prompt-free head finds, to be looked at while it is trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from samantic.datasets.labelled_view import LabelledView
from samantic.evaluation import SheetTile, dice, write_contact_sheet
from samantic.segsam.network import SegSam
from samantic.segsam.predictor import SegSamPredictor


def write_map_sheet(network: SegSam, views: Sequence[LabelledView], path: Path) -> None:
    """Write a PNG with one tile a view: its largest structure as labelled, and as the head finds it without a prompt.

    Views without a label are left out.
    """
    predictor = SegSamPredictor(network, "in training", next(network.parameters()).device)
    tiles = []
    for view in views:
        sizes = np.bincount(view.labels.ravel())[1:]
        if not sizes.any():
            continue
        value = int(sizes.argmax()) + 1
        name, truth = view.class_names[value - 1], view.labels == value
        names = [one for one in view.class_names if one in network.config.class_names]
        found = predictor.semantic_map(predictor.encode(view.image, view.spacing_yx_mm), names)
        mask = found.labels == names.index(name) + 1
        # Of the three windows that the network sees as colours in CT, a reader knows the one for soft tissue.
        image = view.image[..., [1, 1, 1]] if view.domain == "ct" else view.image
        caption = f"Dice {dice(mask, truth):.2f}  {name.replace('_', ' ')}"
        tiles.append(SheetTile(image, truth, mask, caption, view.spacing_yx_mm))
    if tiles:
        write_contact_sheet(path, [("Without a prompt", tiles)])
