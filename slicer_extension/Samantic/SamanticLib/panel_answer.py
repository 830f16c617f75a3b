"""The part of the panel that says what the model thinks, and in which the person decides about it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import qt

from SamanticLib.panel_classes import CLASS_COLUMN, draw_bar
from SamanticLib.panel_pictures import swatch
from SamanticLib.session import AnnotationSession
from SamanticLib.session_state import AnswerSummary, PresenceBar, SessionView

READINGS = 3
ROW_HEIGHT = 19  # pixels
SOFTWARE = "3D Slicer, extension Samantic"
DIRECTIONS = {"propagateBothButton": "both", "propagateUpButton": "up", "propagateDownButton": "down"}


class AnswerPart:
    """Name, confidence and readings of the answer; through the volume; undo, accept, submit; dermoscopy."""

    def __init__(self, ui: Any, session: AnnotationSession, told: Callable[..., Any]) -> None:
        self._ui = ui
        self._presence: tuple[PresenceBar, ...] | None = None
        self._readings = [ui.readingButton1, ui.readingButton2, ui.readingButton3]
        for number, button in enumerate(self._readings):
            button.connect("clicked()", told(functools.partial(session.take_reading, number)))
        for name, direction in DIRECTIONS.items():
            getattr(ui, name).connect("clicked()", told(functools.partial(session.propagate, direction)))
        ui.undoButton.connect("clicked()", told(session.undo))
        ui.redoButton.connect("clicked()", told(session.redo))
        ui.acceptButton.connect("clicked()", told(session.accept))
        ui.submitButton.connect("clicked()", told(lambda: session.submit(SOFTWARE)))
        ui.outlineLesionButton.connect("clicked()", told(session.outline))
        ui.uncertaintyCheckBox.connect("toggled(bool)", told(session.show_uncertainty))
        ui.presenceTree.connect(
            "itemDoubleClicked(QTreeWidgetItem*,int)",
            told(lambda item, _: session.choose_class(item.data(CLASS_COLUMN, qt.Qt.UserRole))),
        )

    def draw(self, view: SessionView) -> None:
        """Draw the answer and what can be done about it."""
        ui = self._ui
        in_colour = view.image is not None and view.image.is_colour
        ui.dermoscopyCollapsibleButton.visible = in_colour
        is_flat = view.image is not None and view.image.is_flat
        ui.propagationCollapsibleButton.visible = not is_flat
        ui.presenceLabel.text = f"Also in this {'picture' if is_flat else 'slice'}:"
        ui.classCollapsibleButton.text = "Lesion and its attributes" if in_colour else "Model and class"
        ui.outlineLesionButton.enabled = view.can_outline
        ui.boundaryLabel.text = _about_border(view)
        ui.predictedClassLabel.text = _about_answer(view)
        self._draw_bars(view.answer)
        self._draw_readings(view)
        self._draw_presence(view.answer.presence if view.answer else ())
        for name in DIRECTIONS:
            getattr(ui, name).enabled = view.can_propagate
        ui.undoButton.enabled, ui.redoButton.enabled = view.can_undo, view.can_redo
        ui.acceptButton.enabled, ui.submitButton.enabled = view.can_accept, view.can_submit
        ui.uncertaintyCheckBox.visible = view.can_map or view.map_shown
        ui.uncertaintyCheckBox.blockSignals(True)
        ui.uncertaintyCheckBox.checked = view.map_shown
        ui.uncertaintyCheckBox.blockSignals(False)
        drawn = [segment.name for segment in view.segments if not segment.is_empty]
        ui.segmentsLabel.text = f"Outlined: {', '.join(drawn)}" if drawn else "Nothing outlined yet."

    def _draw_bars(self, answer: AnswerSummary | None) -> None:
        ui = self._ui
        shares = {
            "confidence": answer.class_confidence if answer else None,
            "quality": answer.quality if answer else None,
            "boundaryConfidence": answer.boundary_confidence if answer else None,
        }
        for name, share in shares.items():
            getattr(ui, f"{name}Caption").visible = getattr(ui, f"{name}Bar").visible = share is not None
            if share is not None:
                getattr(ui, f"{name}Bar").value = round(100 * share)
        ui.answerBars.visible = any(share is not None for share in shares.values())

    def _draw_readings(self, view: SessionView) -> None:
        answer = view.answer
        doubt = _doubt(answer)
        readings = answer.readings[:READINGS] if answer else ()
        self._ui.unsureFrame.visible = bool(doubt) or len(readings) > 1
        self._ui.unsureLabel.text = doubt or "One click can mean several things. Which outline is it?"
        for number, button in enumerate(self._readings):
            button.visible = len(readings) > 1 and number < len(readings)
            if number < len(readings):
                button.text = f"{number + 1}:  {100 * readings[number]:.0f} %"
                button.checked = answer is not None and answer.reading == number
                button.enabled = not view.busy

    def _draw_presence(self, presence: tuple[PresenceBar, ...]) -> None:
        if presence == self._presence:
            return
        self._presence = presence
        tree = self._ui.presenceTree
        tree.visible = self._ui.presenceLabel.visible = bool(presence)
        tree.minimumHeight = tree.maximumHeight = ROW_HEIGHT * len(presence) + 4
        tree.clear()
        for one in presence:
            item = qt.QTreeWidgetItem()
            item.setText(CLASS_COLUMN, one.name)
            item.setIcon(CLASS_COLUMN, swatch(one.rgb))
            item.setData(CLASS_COLUMN, qt.Qt.UserRole, one.class_name)
            item.setSizeHint(CLASS_COLUMN, qt.QSize(0, ROW_HEIGHT))
            draw_bar(item, one)
            tree.addTopLevelItem(item)
        tree.setColumnWidth(CLASS_COLUMN, max(180, tree.width - 160))


def _about_answer(view: SessionView) -> str:
    answer = view.answer
    if answer is None:
        return "The model is looking …" if view.asking else "No answer yet."
    if answer.empty:
        return "Nothing found there."
    name = answer.predicted_name or (view.chosen.label if view.chosen else "")
    text = f"{name}?" if answer.unsure or answer.agrees is False else name
    if answer.slices is not None:
        first, last = answer.slices
        text += f", slices {first} to {last}" + (f" ({answer.stopped})" if answer.stopped else "")
    return text


def _doubt(answer: AnswerSummary | None) -> str:
    if answer is None or answer.empty:
        return ""
    if answer.out_of_domain:
        return "This image is unlike all that the model has learned from; check the outline with care."
    if answer.agrees is False:
        return f"The model would rather call this “{answer.predicted_name}”. Check that the right thing is outlined."
    if answer.unsure and answer.boundary_confidence is not None:
        return "The model is not sure where the border runs; look at it before you accept."
    return "The model is not sure what this is." if answer.unsure else ""


def _about_border(view: SessionView) -> str:
    answer = view.answer
    if answer is None or answer.boundary_confidence is None:
        return "BESA-Diff compares several opinions; where they differ, the border is uncertain."
    share = 100 * answer.boundary_confidence
    return f"Its opinions agree on {share:.0f} % of the border" + (": look closely." if answer.unsure else ".")
