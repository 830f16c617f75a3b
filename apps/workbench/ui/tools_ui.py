"""The tools: what a click in a slice means."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from trame.widgets import html
from trame_server.utils.typed_state import TypedState
from trame_slicer.segmentation import (
    SegmentationEffectErase,
    SegmentationEffectIslands,
    SegmentationEffectPaint,
    SegmentationEffectScissors,
    SegmentationEffectSmoothing,
    SegmentationEffectThreshold,
)
from undo_stack import Signal

from .parts import ToolButton, tag


class Tool(Enum):
    """A tool of the person's; the last six are those of 3D Slicer's Segment Editor."""

    LOOK = "look"
    POSITIVE = "positive"
    NEGATIVE = "negative"
    BOX = "box"
    SCRIBBLE = "scribble"
    LASSO = "lasso"
    PAINT = "paint"
    ERASE = "erase"
    SCISSORS = "scissors"
    THRESHOLD = "threshold"
    ISLANDS = "islands"
    SMOOTHING = "smoothing"


EDITOR_EFFECTS = {
    Tool.PAINT: SegmentationEffectPaint,
    Tool.ERASE: SegmentationEffectErase,
    Tool.SCISSORS: SegmentationEffectScissors,
    Tool.THRESHOLD: SegmentationEffectThreshold,
    Tool.ISLANDS: SegmentationEffectIslands,
    Tool.SMOOTHING: SegmentationEffectSmoothing,
}

MARKS = (
    (Tool.LOOK, "mdi-cursor-default-outline", "Look around: wheel scrolls, right drag zooms, middle drag moves (V)"),
    (Tool.POSITIVE, "mdi-plus-circle-outline", "This belongs to it (1). With Ctrl: this does not"),
    (Tool.NEGATIVE, "mdi-minus-circle-outline", "This does not belong to it (2)"),
    (Tool.BOX, "mdi-vector-square", "A box around it (3)"),
    (Tool.SCRIBBLE, "mdi-draw", "Scribble over it (4). With Ctrl: over what is not it"),
    (Tool.LASSO, "mdi-lasso", "Draw around what belongs to it (5). With Ctrl: what does not"),
)

EDITS = (
    (Tool.PAINT, "mdi-brush", "Paint (P)"),
    (Tool.ERASE, "mdi-eraser", "Erase (E)"),
    (Tool.SCISSORS, "mdi-content-cut", "Scissors"),
    (Tool.THRESHOLD, "mdi-chart-bell-curve", "Threshold"),
    (Tool.ISLANDS, "mdi-scatter-plot-outline", "Islands"),
    (Tool.SMOOTHING, "mdi-blur-radial", "Smoothing"),
)


@dataclass
class ToolsState:
    tool: str = Tool.POSITIVE.value
    is_image_open: bool = False
    can_edit: bool = False
    can_undo: bool = False
    can_redo: bool = False


class ToolsUI(html.Div):
    tool_chosen = Signal(str)
    undo_clicked = Signal()
    redo_clicked = Signal()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(classes="d-flex flex-column align-center py-2 fill-height", **kwargs)
        name = TypedState(self.state, ToolsState).name
        with self:
            for tool, icon, tip in MARKS:
                self._button(tool, icon, tip, name.tool, f"!{name.is_image_open}")
            html.Div(classes="sam-tool-gap", style="width: 28px;")
            for tool, icon, tip in EDITS:
                self._button(tool, icon, tip, name.tool, f"!{name.can_edit}")
            html.Div(classes="sam-tool-gap", style="width: 28px;")
            ToolButton(
                "mdi-undo",
                "Undo (Ctrl Z)",
                self.undo_clicked,
                disabled=f"!{name.can_undo}",
                raw_attrs=tag("undo"),
            )
            ToolButton(
                "mdi-redo",
                "Redo (Ctrl Y)",
                self.redo_clicked,
                disabled=f"!{name.can_redo}",
                raw_attrs=tag("redo"),
            )

    def _button(self, tool: Tool, icon: str, tip: str, active: str, disabled: str) -> None:
        choose = self.server.trigger_name(self.tool_chosen)
        ToolButton(
            icon,
            tip,
            f"trigger('{choose}', ['{tool.value}'])",
            on=f"{active} === '{tool.value}'",
            disabled=disabled,
            raw_attrs=tag(f"tool-{tool.value}"),
        )
