"""The tools: a stroke in a view becomes a prompt of the session, or a stroke of the Segment Editor."""

from __future__ import annotations

from typing import Any

from SamanticLib.errors import SamanticError
from SamanticLib.session_state import SessionView
from trame_slicer.core import SlicerApp

from ..scene.prompt_effect import MarkKind, PromptEffect, Stroke
from ..scene.strokes import axis_of, box_of, point_of, scribble_of
from ..ui.tools_ui import EDITOR_EFFECTS, Tool, ToolsState, ToolsUI
from .base import PartLogic

MARKS = {
    Tool.POSITIVE: MarkKind.POINT,
    Tool.NEGATIVE: MarkKind.POINT,
    Tool.BOX: MarkKind.BOX,
    Tool.SCRIBBLE: MarkKind.SCRIBBLE,
    Tool.LASSO: MarkKind.LASSO,
}


class ToolsLogic(PartLogic[ToolsState]):
    """Which tool is in use, and what its strokes mean."""

    def __init__(self, server: Any, state_type: Any, session: Any, scene: Any, slicer_app: SlicerApp) -> None:
        super().__init__(server, state_type, session, scene)
        self._editor = slicer_app.segmentation_editor
        self._effect = self._editor.get_effect(PromptEffect)
        self._effect.drawn.connect(self._on_drawn)
        self._editor.active_effect_name_changed.connect(self._on_effect_changed)
        self._is_choosing = False

    def set_ui(self, ui: ToolsUI) -> None:
        """Connect what a person clicks."""
        ui.tool_chosen.connect(lambda tool: self.use(Tool(tool)))
        ui.undo_clicked.connect(self.session.undo)
        ui.redo_clicked.connect(self.session.redo)

    def use(self, tool: Tool) -> None:
        """Let the left button do this from now on."""
        if tool in EDITOR_EFFECTS and not self.data.can_edit:
            return
        self.data.tool = tool.value
        self._is_choosing = True
        try:
            if tool is Tool.LOOK:
                self._editor.deactivate_effect()
            elif tool in EDITOR_EFFECTS:
                self._editor.set_active_effect_type(EDITOR_EFFECTS[tool])
            else:
                self._effect.kind = MARKS[tool]
                self._editor.set_active_effect_type(PromptEffect)
        finally:
            self._is_choosing = False

    def use_again(self) -> None:
        """Use the tool on a new image; painting begins with a mark again."""
        tool = Tool(self.data.tool)
        self.use(Tool.POSITIVE if tool in EDITOR_EFFECTS or tool is Tool.LOOK else tool)

    def show(self, view: SessionView) -> None:
        """Write what there is to see."""
        self.data.is_image_open = view.image is not None
        self.data.can_edit = bool(view.segments)
        self.data.can_undo, self.data.can_redo = view.can_undo, view.can_redo

    def _on_effect_changed(self, *_: Any) -> None:
        # trame-slicer puts its tools away when no segment is left; marks need none.
        if not self._is_choosing and Tool(self.data.tool) in MARKS and self._editor.active_effect is not self._effect:
            self.use(Tool(self.data.tool))
        elif not self._is_choosing and Tool(self.data.tool) in EDITOR_EFFECTS:
            active = self._editor.get_active_effect_name()
            if active != EDITOR_EFFECTS[Tool(self.data.tool)].get_effect_name():
                self.data.tool = Tool.LOOK.value

    def _on_drawn(self, stroke: Stroke) -> None:
        image = self.scene.image
        if image is None:
            return
        positive = (Tool(self.data.tool) is not Tool.NEGATIVE) != stroke.is_turned
        try:
            axis = axis_of(stroke, image)
            if stroke.kind is MarkKind.POINT:
                self.session.add_point(point_of(stroke, image), positive, axis)
            elif stroke.kind is MarkKind.BOX:
                self.session.add_box(box_of(stroke, image), axis)
            else:
                filled = stroke.kind is MarkKind.LASSO
                self.session.add_scribble(scribble_of(stroke, image, positive, filled), axis)
        except SamanticError:
            # A click beside the image means nothing.
            return
