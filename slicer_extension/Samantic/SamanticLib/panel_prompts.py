"""The part of the panel with the tools to mark an object in the slice views."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Protocol

from SamanticLib.session import AnnotationSession
from SamanticLib.session_state import SessionView

TOOL_BUTTONS = {
    "pointPositiveButton": "point_positive",
    "pointNegativeButton": "point_negative",
    "boxButton": "box",
    "scribblePositiveButton": "scribble_positive",
    "scribbleNegativeButton": "scribble_negative",
    "lassoButton": "lasso",
}
"""Tool of the slice views by its button."""


class Tools(Protocol):
    """What marks in slice views; `panel_tools.SliceTools` is one. `pick(None)` gives the mouse back to Slicer."""

    def pick(self, tool: str | None) -> None: ...


class PromptPart:
    """One tool is in the hand at a time; pressing its button again puts it down."""

    def __init__(self, ui: Any, session: AnnotationSession, tools: Tools, told: Callable[..., Any]) -> None:
        self._ui = ui
        self._tools = tools
        for name in TOOL_BUTTONS:
            getattr(ui, name).connect("clicked(bool)", told(functools.partial(self._pick, name)))
        ui.liveUpdateCheckBox.connect("toggled(bool)", told(session.set_live))
        ui.segmentButton.connect("clicked()", told(session.ask))

    def put_down(self) -> None:
        """Put the tool down, as when the module is left."""
        self._pick("", False)

    def draw(self, view: SessionView) -> None:
        """Draw which tools can be used, and how many marks there are."""
        ui = self._ui
        usable = view.image is not None and view.chosen is not None
        for name in TOOL_BUTTONS:
            getattr(ui, name).enabled = usable
        if not usable and any(getattr(ui, name).checked for name in TOOL_BUTTONS):
            self.put_down()
        if ui.liveUpdateCheckBox.checked != view.live:
            ui.liveUpdateCheckBox.blockSignals(True)
            ui.liveUpdateCheckBox.checked = view.live
            ui.liveUpdateCheckBox.blockSignals(False)
        ui.segmentButton.enabled = view.can_ask
        ui.promptsLabel.text = _about_marks(view)

    def _pick(self, pressed: str, checked: bool) -> None:
        for name in TOOL_BUTTONS:
            getattr(self._ui, name).checked = checked and name == pressed
        self._tools.pick(TOOL_BUTTONS[pressed] if checked else None)


def _about_marks(view: SessionView) -> str:
    if view.image is None or view.chosen is None:
        return "Open an image and choose a class; then mark the object in a slice."
    prompts = view.prompts
    counts = [
        (len(prompts.positive_ijk), "positive point"),
        (len(prompts.negative_ijk), "negative point"),
        (len(prompts.boxes_ijk), "box"),
    ]
    marks = [f"{count} {name if count == 1 else _plural(name)}" for count, name in counts if count]
    if prompts.scribble is not None:
        marks.append("scribbles")
    return f"Marked: {', '.join(marks)}" if marks else "No marks yet: take a tool and mark the object in a slice."


def _plural(name: str) -> str:
    return f"{name}es" if name.endswith("x") else f"{name}s"
