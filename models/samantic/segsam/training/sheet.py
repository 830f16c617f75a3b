"""A picture of what a network answers to a box and to a click, to be looked at while it is trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from samantic.datasets.labelled_view import LabelledView
from samantic.evaluation import SheetTile, dice, write_contact_sheet
from samantic.segsam.interaction import deepest_click, jittered_box
from samantic.segsam.network import SegSam
from samantic.segsam.predictor import ObjectPrediction, SegSamPredictor
from samantic.segsam.view_prompts import ViewPrompts


def write_prediction_sheet(network: SegSam, views: Sequence[LabelledView], path: Path) -> None:
    """Write a PNG with one column a view: the largest structure by its box, and by one click at its deepest point.

    Views without a label are left out.
    """
    device = next(network.parameters()).device
    predictor = SegSamPredictor(network, "in training", device)
    boxes: list[SheetTile] = []
    clicks: list[SheetTile] = []
    for view in views:
        sizes = np.bincount(view.labels.ravel())[1:]
        if not sizes.any():
            continue
        value = int(sizes.argmax()) + 1
        truth, name = view.labels == value, view.class_names[value - 1]
        box = jittered_box(truth, 0.0, np.random.default_rng(0))
        x, y, label = deepest_click(truth)
        features = predictor.encode(view.image, view.spacing_yx_mm)
        nothing = np.zeros((0, 2)), np.zeros(0, dtype=np.int64)
        boxed, clicked = predictor.decode(
            features, [ViewPrompts(*nothing, box), ViewPrompts(np.array([[x, y]]), np.array([label]))]
        )
        # Of the three windows that the network sees as colours in CT, a reader knows the one for soft tissue.
        image = view.image[..., [1, 1, 1]] if view.domain == "ct" else view.image
        for tiles, answer, prompt in ((boxes, boxed, {"box_xyxy": box}), (clicks, clicked, {"click_xy": (x, y)})):
            caption = _caption(answer, truth, name)
            tiles.append(SheetTile(image, truth, answer.mask, caption, view.spacing_yx_mm, **prompt))
    if boxes:
        write_contact_sheet(path, [("Box", boxes), ("One click", clicks)])


def _caption(answer: ObjectPrediction, truth: np.ndarray, name: str) -> str:
    said = answer.predicted_class
    doubt = "" if said in ("", name) else "?"
    return f"Dice {dice(answer.mask, truth):.2f}  {said.replace('_', ' ')}{doubt}".rstrip()
