"""Everything that the page does, on one session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from SamanticLib.session import AnnotationSession
from SamanticLib.session_ports import Client, LaneWorker, SceneImage
from SamanticLib.session_state import SessionView
from trame_slicer.app.logic import (
    EraseEffectLogic,
    IslandsEffectLogic,
    PaintEffectLogic,
    ScissorsEffectLogic,
    SmoothingEffectLogic,
    ThresholdEffectLogic,
)
from trame_slicer.core import SlicerApp
from trame_slicer.rca_view import register_rca_factories

from ..drafts.store import DraftStore
from ..scene.workbench_scene import WorkbenchScene
from ..ui.answer_ui import AnswerState
from ..ui.class_ui import ClassState
from ..ui.display_ui import DisplayState
from ..ui.draft_ui import DraftState
from ..ui.image_ui import ImageState
from ..ui.learn_ui import LearnState
from ..ui.segments_ui import SegmentsState
from ..ui.status_ui import StatusState
from ..ui.tools_ui import Tool, ToolsState
from ..ui.view_ui import slice_view_ui, threed_view_ui
from ..ui.workbench_ui import WorkbenchUI
from .answer_logic import AnswerLogic
from .class_logic import ClassLogic
from .display_logic import DisplayLogic
from .draft_logic import DraftLogic
from .image_logic import ImageLogic
from .learn_logic import LearnLogic
from .segments_logic import SegmentsLogic
from .status_logic import StatusLogic
from .tools_logic import ToolsLogic

EDITOR_LOGIC = (
    PaintEffectLogic,
    EraseEffectLogic,
    ScissorsEffectLogic,
    ThresholdEffectLogic,
    IslandsEffectLogic,
    SmoothingEffectLogic,
)


class WorkbenchLogic:
    """The session and the logic of every part."""

    def __init__(
        self,
        server: Any,
        slicer_app: SlicerApp,
        client_factory: Callable[[str], Client],
        worker: LaneWorker,
        drafts: DraftStore,
    ) -> None:
        self._server = server
        register_rca_factories(
            slicer_app.view_manager, server, slice_view_ui_f=slice_view_ui, three_d_view_ui_f=threed_view_ui
        )
        self.scene = WorkbenchScene(slicer_app)
        self.session = AnnotationSession(client_factory, self.scene, worker)
        parts = (server, self.session, self.scene)
        self.status = StatusLogic(parts[0], StatusState, *parts[1:])
        self.image = ImageLogic(parts[0], ImageState, *parts[1:])
        self.classes = ClassLogic(parts[0], ClassState, *parts[1:])
        self.answer = AnswerLogic(parts[0], AnswerState, *parts[1:])
        self.learn = LearnLogic(parts[0], LearnState, *parts[1:])
        self.tools = ToolsLogic(parts[0], ToolsState, *parts[1:], slicer_app)
        self.segments = SegmentsLogic(parts[0], SegmentsState, *parts[1:], slicer_app)
        self.display = DisplayLogic(parts[0], DisplayState, *parts[1:], slicer_app)
        self.draft = DraftLogic(parts[0], DraftState, *parts[1:], drafts, worker)
        self._parts = (
            self.status, self.image, self.classes, self.answer, self.learn, self.tools, self.segments, self.display,
            self.draft,
        )  # fmt: skip
        self._editors = [logic(server, slicer_app) for logic in EDITOR_LOGIC]
        self._image: SceneImage | None = None
        self.scene.undo_stack.index_changed.connect(self._on_step)
        self.draft.restored.connect(self._on_restored)
        self.session.listen(self._show)

    def set_ui(self, ui: WorkbenchUI) -> None:
        """Connect the page."""
        self.status.set_ui(ui.status)
        self.image.set_ui(ui.image)
        self.classes.set_ui(ui.classes)
        self.answer.set_ui(ui.answer)
        self.answer.set_actions(ui.actions)
        self.learn.set_ui(ui.learn)
        self.tools.set_ui(ui.tools)
        self.segments.set_ui(ui.segments)
        self.display.set_ui(ui.display)
        self.draft.set_ui(ui.draft)
        for editor in self._editors:
            editor.set_ui(ui.options)
        self.session.refresh()

    def on_key(self, key: str) -> None:
        """Do what a key means; `status_ui.SHORTCUTS` tells the person."""
        tools = {
            "v": Tool.LOOK, "1": Tool.POSITIVE, "2": Tool.NEGATIVE, "3": Tool.BOX, "4": Tool.SCRIBBLE,
            "5": Tool.LASSO, "p": Tool.PAINT, "e": Tool.ERASE,
        }  # fmt: skip
        view = self.session.view
        if key in tools and view.image is not None:
            self.tools.use(tools[key])
            return
        actions: dict[str, tuple[bool, Callable[[], Any]]] = {
            "/": (view.image is not None, self.classes.begin_choosing),
            "Enter": (view.can_ask, self.session.ask),
            "o": (view.can_outline, self.session.outline),
            "g": (view.can_propagate, self.session.propagate),
            "u": (view.can_map or view.map_shown, lambda: self.session.show_uncertainty(not view.map_shown)),
            "a": (view.can_accept, self.session.accept),
            "s": (view.can_submit, self.answer.submit),
            "n": (bool(view.images), self.image.next),
            "ctrl+z": (view.can_undo, self.session.undo),
            "ctrl+y": (view.can_redo, self.session.redo),
            "Escape": (True, self._escape),
            "f": (view.image is not None, self.display.next_layout),
            "h": (True, self.segments.toggle_all),
            "?": (True, self._toggle_help),
        }
        allowed, action = actions.get(key, (False, lambda: None))
        if allowed:
            action()

    def _escape(self) -> None:
        if self.session.view.progress is not None:
            self.session.cancel()
        else:
            self.status.close_notice()

    def _toggle_help(self) -> None:
        self.status.data.help_shown = not self.status.data.help_shown

    def _show(self, view: SessionView) -> None:
        with self._server.state:
            if view.image is not self._image:
                self._image = view.image
                if view.image is not None:
                    self.display.begin_image(view.image)
                    self.segments.begin_image()
                    self.tools.use_again()
            for part in self._parts:
                part.show(view)

    def _on_restored(self) -> None:
        self.segments.begin_image()
        self.segments.make_surfaces()

    def _on_step(self, *_: Any) -> None:
        self.segments.make_surfaces()
        if not self.scene.is_stepping:
            self.session.scene_changed()
