"""The scoring method `dice`: a model, or the labels of one tag, against what people have labelled."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

from fastapi import HTTPException
from monailabel.interfaces.datastore import Datastore, DefaultLabelTag
from monailabel.interfaces.tasks.infer_v2 import InferTask
from monailabel.interfaces.tasks.scoring import ScoringMethod

from samantic.app.lib.infers import wire
from samantic.app.lib.infers.wire import RequestError
from samantic.app.lib.jobs.errors import failure
from samantic.app.lib.jobs.kinds import INTERACTIVE
from samantic.app.lib.scoring.label_maps import LabelMap, dice_by_class
from samantic.imaging import Volume, read_volume

logger = logging.getLogger(__name__)


class DiceOfLabels(ScoringMethod):
    """Dice by class and image, noted in the info of the label that was the truth, and summed up in the answer.

    The request's `y` is the tag of the truth (`final`), `y_pred` that of what is scored (`original`); with `model` that
    model is asked instead. The answer holds `images` (their number), `mean` over images of the mean over classes,
    `by_class`, `scores` by image, and `left_out` with why. Source: ours; parameters of MONAI Label's Dice.
    """

    def __init__(self, tasks: Mapping[str, InferTask]) -> None:
        super().__init__("Dice of a model, or of the labels of one tag, against the final labels, by class and image")
        self._tasks = tasks

    def __call__(self, request: Mapping[str, Any], datastore: Datastore) -> dict[str, Any]:
        """Score all images that have a label to compare with. Raises HTTPException 422."""
        try:
            truth_tag = wire.text(request.get("y"), "y") or DefaultLabelTag.FINAL.value
            tag = wire.text(request.get("y_pred"), "y_pred") or DefaultLabelTag.ORIGINAL.value
            model = wire.text(request.get("model"), "model")
            task = None if model is None else self._automatic(model)
        except RequestError as error:
            raise HTTPException(422, str(error)) from error
        against = model or tag
        scores: dict[str, dict[str, float]] = {}
        left_out: dict[str, str] = {}
        for image in sorted(datastore.list_images()):
            tags = datastore.get_labels_by_image_id(image)
            if truth_tag not in tags or (task is None and tag not in tags):
                continue
            try:
                volume = read_volume(datastore.get_image_uri(image))
                truth = _noted(datastore, image, truth_tag, volume)
                predicted = _asked(task, datastore, image, volume) if task else _noted(datastore, image, tag, volume)
                by_class = dice_by_class(truth, predicted)
            except Exception as error:
                left_out[image] = failure(error, f"scoring the image {image}")
                continue
            if not by_class:
                left_out[image] = "Neither label shows a class that the person's label speaks of."
                continue
            scores[image] = by_class
            self._keep(datastore, image, truth_tag, against, by_class)
        summary = _summary(against, scores, left_out)
        logger.info("Dice of %s: %s on %d images", against, summary["mean"], summary["images"])
        return summary

    def _automatic(self, model: str) -> InferTask:
        able = [name for name, task in self._tasks.items() if task.type not in INTERACTIVE]
        if model not in able:
            raise RequestError(
                f"'model' is {wire.shown(model)}, but it must be one that needs no clicks: "
                f"{', '.join(able) or '(none is there)'}."
            )
        return self._tasks[model]

    @staticmethod
    def _keep(store: Datastore, image: str, tag: str, against: str, by_class: Mapping[str, float]) -> None:
        before = (store.get_label_info(image, tag) or {}).get("scores")
        of_dice = before.get("dice") if isinstance(before, dict) else None
        found = {"mean": _rounded(fmean(by_class.values())), "by_class": _all_rounded(by_class)}
        note = {**(of_dice if isinstance(of_dice, dict) else {}), against: {**found, "ts": int(time.time())}}
        store.update_label_info(image, tag, {"scores": {**(before if isinstance(before, dict) else {}), "dice": note}})


def _noted(store: Datastore, image: str, tag: str, volume: Volume) -> LabelMap:
    return LabelMap.read(Path(store.get_label_uri(image, tag)), volume, store.get_label_info(image, tag) or {})


def _asked(task: InferTask, store: Datastore, image: str, volume: Volume) -> LabelMap:
    file, result = task({"image": store.get_image_uri(image)})
    if file is None:
        raise RequestError("The model gave no mask.")
    try:
        return LabelMap.read(Path(file), volume, result)
    finally:
        Path(file).unlink(missing_ok=True)


def _summary(against: str, scores: Mapping[str, Mapping[str, float]], left_out: Mapping[str, str]) -> dict[str, Any]:
    names = sorted({name for by_class in scores.values() for name in by_class})
    of_class = {name: [by_class[name] for by_class in scores.values() if name in by_class] for name in names}
    means = {image: fmean(by_class.values()) for image, by_class in scores.items()}
    return {
        "method": "dice",
        "of": against,
        "images": len(scores),
        "mean": _rounded(fmean(means.values())) if means else None,
        "by_class": {name: {"mean": _rounded(fmean(of)), "images": len(of)} for name, of in of_class.items()},
        "scores": {
            image: {"mean": _rounded(means[image]), "by_class": _all_rounded(by_class)}
            for image, by_class in scores.items()
        },
        "left_out": dict(left_out),
    }


def _all_rounded(scores: Mapping[str, float]) -> dict[str, float]:
    return {name: _rounded(value) for name, value in scores.items()}


def _rounded(value: float) -> float:
    return round(value, 4)
