"""Samantic's prompts inside Segment Editor: into the editor's own segmentation and its selected segment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from SamanticLib.errors import SamanticError
from SamanticLib.panel_desk import Desk
from SamanticLib.panel_pictures import icon
from SamanticLib.panel_prompts import PromptPart
from SamanticLib.panel_tools import Strokes
from SamanticLib.segments import class_name
from SamanticLib.session_state import Connection, SessionView


class EffectPanel:
    """The effect's options and its mouse; shares the session of the module Samantic.

    ui: the widgets of SamanticEffect.ui. save_state(): tells Segment Editor to note the segments for its own undo.
    """

    def __init__(self, ui: Any, desk: Desk, save_state: Callable[[], None]) -> None:
        self._ui = ui
        self._desk = desk
        self._save_state = save_state
        self.active = False
        self._volume: Any = None
        self.strokes = Strokes(desk.session, desk.scene, self._say)
        for name, widget in vars(ui).items():
            if widget.property("iconName"):
                getattr(ui, name).icon = icon(widget.property("iconName"))
        self._prompts = PromptPart(ui, desk.session, self, self._told)
        ui.useSourceVolumeButton.connect("clicked()", self._told(self._use_source_volume))
        ui.undoButton.connect("clicked()", self._told(desk.session.undo))
        ui.acceptButton.connect("clicked()", self._told(desk.session.accept))
        ui.propagateBothButton.connect("clicked()", self._told(lambda: desk.session.propagate("both")))
        ui.cancelButton.connect("clicked()", self._told(desk.session.cancel))
        desk.session.listen(self.draw)

    def activate(self, segmentation: Any, segment_id: str, volume: Any) -> None:
        """Draw into this segment from now on, on this volume; called again whenever one of them changes."""
        self.active, self._volume = True, volume
        self._desk.scene.before_paste = self._save_state
        if self._is_ready() and segmentation is not None and segment_id:
            self._told(lambda: self._draw_into(segmentation, segment_id))()
        self.draw(self._desk.session.view)

    def deactivate(self) -> None:
        """Give the mouse back to Segment Editor."""
        self.active = False
        self._desk.scene.before_paste = lambda: None
        self._prompts.put_down()

    def pick(self, tool: str | None) -> None:
        """Take up a tool, or put it down."""
        self.strokes.drop()
        self.strokes.tool = tool

    def draw(self, view: SessionView) -> None:
        """Draw what can be done, while the effect is active."""
        if not self.active:
            return
        ui, ready = self._ui, self._is_ready()
        connected = view.connection is Connection.THERE
        ui.guideLabel.text = (
            "Connect to a server in the module Samantic first." if not connected else view.next_step if ready else ""
        )
        ui.guideFrame.visible = bool(ui.guideLabel.text)
        ui.useSourceVolumeButton.visible = connected and not ready
        ui.useSourceVolumeButton.enabled = connected and self._volume is not None and view.progress is None
        is_error = view.notice is not None and view.notice.kind == "error"
        ui.messageLabel.text = view.notice.text if view.notice is not None and is_error else ""
        ui.messageLabel.visible = is_error
        self._prompts.draw(view)
        ui.undoButton.enabled, ui.acceptButton.enabled = view.can_undo, view.can_accept
        ui.propagateBothButton.enabled = view.can_propagate
        ui.progressFrame.visible = view.progress is not None
        if view.progress is not None:
            ui.progressBar.maximum, ui.progressBar.value = view.progress.total, view.progress.done
            ui.cancelButton.visible = view.progress.can_cancel

    def _is_ready(self) -> bool:
        return self._volume is not None and self._desk.scene.volume is self._volume

    def _draw_into(self, segmentation: Any, segment_id: str) -> None:
        session, scene = self._desk.session, self._desk.scene
        scene.use_segmentation(segmentation)
        segment = segmentation.GetSegmentation().GetSegment(segment_id)
        if segment is None:
            return
        entry = scene.class_of(segment_id, session.view.classes)
        name = entry.name if entry is not None else class_name(segment)
        if session.view.chosen is not None and session.view.chosen.name == name:
            return
        scene.tag_class(segment_id, name)
        if entry is not None:
            session.choose_class(name)
        else:
            session.describe(name)

    def _use_source_volume(self) -> None:
        if self._volume is None:
            raise SamanticError("Choose a source volume in Segment Editor first.")
        self._desk.images.use(self._volume.GetID(), discard=False)

    def _told(self, function: Callable[..., Any]) -> Callable[..., None]:
        def slot(*values: Any) -> None:
            try:
                function(*values)
            except Exception as error:
                self._say(error)

        return slot

    def _say(self, error: Exception) -> None:
        self._ui.messageLabel.text, self._ui.messageLabel.visible = str(error), True
