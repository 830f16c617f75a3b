"""Training, in figures."""

from __future__ import annotations

from SamanticLib.answers import TrainingEpoch, TrainingState
from SamanticLib.session_state import Connection, SessionView

from ..ui.learn_ui import HEIGHT, WIDTH, LearnState, LearnUI
from .base import PartLogic

MOST_FIGURES = 4

QUICK = {"epochs": 2, "steps_per_epoch": 10}
QUICK_SEGSAM = {"epochs": 2, "samples_per_epoch": 64}
"""A round of a minute or so on a laptop, of SEG-SAM by samples, of the others by steps; a thorough one is the server's
own idea of a round."""


class LearnLogic(PartLogic[LearnState]):
    """Starting, watching and stopping."""

    def set_ui(self, ui: LearnUI) -> None:
        """Connect what a person clicks."""
        ui.train_clicked.connect(self._train)
        ui.stop_clicked.connect(self.session.stop_training)
        ui.roll_back_clicked.connect(lambda version: self.session.roll_back(self.data.model, version))

    def _train(self, thorough: bool) -> None:
        model = self.data.model
        quick = QUICK_SEGSAM if model == "segsam" else QUICK
        self.session.train(model, **({} if thorough else quick))

    def show(self, view: SessionView) -> None:
        """Write what there is to see."""
        data, training = self.data, view.training
        data.models = list(view.trainable)
        if training is not None and training.running and training.model:
            data.model = training.model
        elif view.model in view.trainable and view.image is not None:
            data.model = view.model
        elif data.model not in view.trainable:
            data.model = view.trainable[0] if view.trainable else ""
        data.is_there = view.connection is Connection.THERE
        data.labelled = sum(one.labelled for one in view.images)
        data.basis = _basis(data.labelled)
        data.is_running = training is not None and training.running
        epochs = training.epochs if training else ()
        data.share = 100.0 * epochs[-1].epoch / epochs[-1].epochs if epochs and epochs[-1].epochs else 0.0
        data.text = _text(training)
        data.curve = _curve(epochs)
        data.figures = _figures(training)
        data.versions = [
            {
                "version": one.version,
                "name": "As installed" if one.version == "bundled" else f"Version {one.version}",
                "dice": "" if one.dice_after is None else f"Dice {one.dice_after:.3f}",
                "served": one.is_served,
            }
            for one in view.versions
            if one.model == data.model
        ]


def _basis(labelled: int) -> str:
    if not labelled:
        return "Once a label is submitted, the model can learn from it."
    images = "1 image" if labelled == 1 else f"{labelled} images"
    return f"From the labels of {images}. It is used only if it is not worse on images that were held out."


def _text(training: TrainingState | None) -> str:
    if training is None:
        return ""
    if not training.epochs:
        return "Reading the labelled images …"
    last = training.epochs[-1]
    return f"Epoch {last.epoch} of {last.epochs}"


def _curve(epochs: tuple[TrainingEpoch, ...]) -> str:
    scores = [epoch.mean_dice for epoch in epochs if epoch.mean_dice is not None]
    if len(scores) < 2:
        return ""
    low, high = min(scores), max(scores)
    span = max(high - low, 0.01)
    return " ".join(
        f"{4 + (WIDTH - 8) * number / (len(scores) - 1):.0f},{HEIGHT - 6 - (HEIGHT - 12) * (score - low) / span:.1f}"
        for number, score in enumerate(scores)
    )


def _figures(training: TrainingState | None) -> list[str]:
    if training is None or not training.epochs:
        return []
    last = training.epochs[-1]
    lines = []
    if last.mean_dice is not None:
        before = "" if training.dice_before is None else f" (before: {training.dice_before:.3f})"
        lines.append(f"Dice on images held out: {last.mean_dice:.3f}{before}")
    if last.loss is not None:
        lines.append(f"Loss: {last.loss:.3f}")
    best = sorted(last.dice.items(), key=lambda one: one[1])[:MOST_FIGURES]
    lines += [f"{name.replace('_', ' ')}: {score:.3f}" for name, score in best] if len(last.dice) > 1 else []
    return lines
