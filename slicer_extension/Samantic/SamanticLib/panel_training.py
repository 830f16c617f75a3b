"""The part of the panel in which the model learns: start, curve, stop, versions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt

from SamanticLib.answers import ModelVersion, TrainingState
from SamanticLib.panel_pictures import curve
from SamanticLib.session import AnnotationSession
from SamanticLib.session_state import SessionView

VERSION_COLUMN, BEFORE_COLUMN, AFTER_COLUMN = 0, 1, 2
STATES = {
    "none": "Not trained yet.",
    "queued": "Waiting for its turn.",
    "running": "Learning.",
    "done": "Done.",
    "failed": "It failed.",
    "stopped": "Stopped; nothing was published.",
}


class TrainingPart:
    """Training on the submitted labels, live, and the way back."""

    def __init__(self, ui: Any, session: AnnotationSession, told: Callable[..., Any]) -> None:
        self._ui = ui
        self._session = session
        self._trainable: tuple[str, ...] = ()
        self._versions: tuple[ModelVersion, ...] | None = None
        self._training: TrainingState | None = None
        ui.trainButton.connect("clicked()", told(lambda: session.train(ui.trainModelComboBox.currentText)))
        ui.stopTrainingButton.connect("clicked()", told(session.stop_training))
        ui.rollBackButton.connect("clicked()", told(self.roll_back))
        ui.trainingCollapsibleButton.connect("contentsCollapsed(bool)", told(self._opened))
        ui.trainModelComboBox.connect("activated(int)", told(lambda _: self._opened(False)))
        ui.versionsTree.connect("itemSelectionChanged()", told(lambda: self._draw_roll_back(session.view)))

    def roll_back(self) -> None:
        """Serve the chosen version from now on."""
        item = self._ui.versionsTree.currentItem()
        if item is not None:
            version = item.data(VERSION_COLUMN, qt.Qt.UserRole)
            self._session.roll_back(self._ui.trainModelComboBox.currentText, version)

    def draw(self, view: SessionView) -> None:
        """Draw what can learn, how far it is, and the versions."""
        ui = self._ui
        if view.trainable != self._trainable:
            self._trainable = view.trainable
            ui.trainModelComboBox.clear()
            for model in view.trainable:
                ui.trainModelComboBox.addItem(model)
        running = view.training is not None and view.training.running
        ui.trainModelComboBox.enabled = bool(view.trainable) and not running
        ui.trainButton.enabled = bool(view.trainable) and not running
        ui.stopTrainingButton.enabled = running
        if view.training != self._training or view.training is None:
            self._training = view.training
            self._draw_training(view.training)
        if view.versions != self._versions:
            self._versions = view.versions
            self._list_versions(view)
        self._draw_roll_back(view)

    def _draw_training(self, training: TrainingState | None) -> None:
        ui = self._ui
        epochs = training.epochs if training else ()
        ui.trainingBar.visible = training is not None and training.running
        ui.trainingPlotLabel.visible = len(epochs) > 0
        ui.trainingLabel.text = _about_training(training)
        if epochs:
            ui.trainingBar.maximum, ui.trainingBar.value = max(1, epochs[-1].epochs), epochs[-1].epoch
            dice = [epoch.mean_dice for epoch in epochs if epoch.mean_dice is not None]
            losses = [epoch.loss for epoch in epochs if epoch.loss is not None]
            width = max(200, ui.trainingPlotLabel.width)
            ui.trainingPlotLabel.setPixmap(curve(dice, losses, width, 92))
        else:
            ui.trainingBar.maximum = ui.trainingBar.value = 0

    def _list_versions(self, view: SessionView) -> None:
        tree = self._ui.versionsTree
        tree.clear()
        for version in view.versions:
            item = qt.QTreeWidgetItem()
            item.setText(VERSION_COLUMN, f"{version.version}{'  (served)' if version.is_served else ''}")
            item.setText(BEFORE_COLUMN, _dice(version.dice_before))
            item.setText(AFTER_COLUMN, _dice(version.dice_after))
            item.setData(VERSION_COLUMN, qt.Qt.UserRole, version.version)
            tree.addTopLevelItem(item)

    def _draw_roll_back(self, view: SessionView) -> None:
        running = view.training is not None and view.training.running
        self._ui.rollBackButton.enabled = not running and self._ui.versionsTree.currentItem() is not None

    def _opened(self, collapsed: bool) -> None:
        model = self._ui.trainModelComboBox.currentText
        if not collapsed and model:
            self._session.look_at_versions(model)


def _about_training(training: TrainingState | None) -> str:
    if training is None:
        return STATES["none"]
    text = STATES.get(training.state, training.state)
    if training.epochs:
        last = training.epochs[-1]
        figures = [("Dice", last.mean_dice), ("loss", last.loss)]
        said = ", ".join(f"{name} {value:.3f}" for name, value in figures if value is not None)
        text = f"{text} Epoch {last.epoch} of {last.epochs}: {said}" if said else text
    if training.state == "failed" and training.detail:
        text = f"{text} {training.detail}"
    if training.published:
        text = f"{text} Published as version {training.published}."
    return text


def _dice(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
