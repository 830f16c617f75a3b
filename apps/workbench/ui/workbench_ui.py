"""The page: the way from image to submission on the left, pictures in the middle, what there is on the right."""

from __future__ import annotations

from typing import Any

from trame.ui.vuetify3 import VAppLayout
from trame.widgets import client, html
from trame.widgets.vuetify3 import VAppBar, VMain, VNavigationDrawer
from trame_server.utils.typed_state import TypedState
from trame_slicer.core import LayoutManager

from .answer_ui import ActionsUI, AnswerState, AnswerUI
from .class_ui import ClassUI
from .display_ui import DisplayState, DisplayUI
from .draft_ui import DraftUI
from .image_ui import ImageState, ImageUI
from .learn_ui import LearnUI
from .segments_ui import SegmentsUI, ToolOptionsUI
from .status_ui import StatusUI
from .style import CSS, VUETIFY
from .tools_ui import EDITOR_EFFECTS, ToolsState, ToolsUI

KEYS = """
if (!window.samanticKeys) {
  window.samanticKeys = true;
  // What was chosen from a list must not keep the keys for itself.
  window.addEventListener('click', (event) => {
    if (event.target.closest && event.target.closest('.v-overlay .v-list-item')) {
      setTimeout(() => document.activeElement && document.activeElement.blur(), 80);
    }
  });
  window.addEventListener('keydown', (event) => {
    const target = event.target;
    const typing = target && (target.tagName === 'INPUT' && target.type !== 'range' && target.type !== 'checkbox'
      || target.tagName === 'TEXTAREA');
    if (typing && event.key === 'Escape') { target.blur(); return; }
    if (typing || event.altKey || event.repeat) return;
    const control = event.ctrlKey || event.metaKey;
    if (control && !['z', 'y'].includes(event.key.toLowerCase())) return;
    const key = (control ? 'ctrl+' : '') + (event.key.length === 1 ? event.key.toLowerCase() : event.key);
    if (event.key === '/' || control) event.preventDefault();
    window.trame.trigger('%s', [key]);
    if (event.key === '/') setTimeout(() => {
      const search = document.getElementById('class-search');
      if (search) search.focus();
    }, 80);
  });
}
"""


class WorkbenchUI:
    """All parts of the page, each under its name."""

    def __init__(self, server: Any, layout_manager: LayoutManager, shortcut: Any) -> None:
        self.status = StatusUI(server)
        with VAppLayout(server, vuetify_config=VUETIFY) as self.layout:
            client.Style(CSS)
            client.Script(KEYS % server.trigger_name(shortcut))
            with VAppBar(flat=True, height=54, color="surface", classes="sam-bar"):
                self.status.build_bar()
            self._build_left(server)
            self._build_tools()
            self._build_right(server)
            with VMain(style="height: 100vh;"), html.Div(style="position: relative; height: 100%; display: flex;"):
                self.content = html.Div(style="flex: 1; display: flex; min-width: 0;")
                with self.content:
                    layout_manager.initialize_layout_grid(self.layout)
                self._build_welcome(server)
                self.status.build_overlays()
                self.draft = DraftUI(server)

    def _build_left(self, server: Any) -> None:
        answer, image = TypedState(server.state, AnswerState).name, TypedState(server.state, ImageState).name
        with (
            VNavigationDrawer(permanent=True, width=318, location="left", color="surface", border=0),
            html.Div(classes="d-flex flex-column fill-height"),
        ):
            with html.Div(style="flex: 1; overflow-y: auto; padding-bottom: 12px;"):
                self.image = ImageUI()
                self.classes = ClassUI()
                self.answer = AnswerUI(v_if=(answer.has_answer,))
            self.actions = ActionsUI(v_if=(f"{image.image_id}",))

    def _build_tools(self) -> None:
        with VNavigationDrawer(permanent=True, width=52, location="left", color="#12161a", border=0):
            self.tools = ToolsUI()

    def _build_right(self, server: Any) -> None:
        tools = TypedState(server.state, ToolsState).name
        shown = TypedState(server.state, DisplayState).name
        editing = " || ".join(f"{tools.tool} === '{tool.value}'" for tool in EDITOR_EFFECTS)
        with (
            VNavigationDrawer(permanent=True, width=256, location="right", color="surface", border=0),
            html.Div(style="height: 100%; overflow-y: auto; padding-bottom: 16px;"),
        ):
            self.display = DisplayUI(v_show=(f"{tools.is_image_open} && ({shown.is_grey} || !{shown.is_flat})",))
            self.segments = SegmentsUI(v_show=(tools.is_image_open,))
            self.options = ToolOptionsUI(v_show=(editing,))
            self.learn = LearnUI()

    def _build_welcome(self, server: Any) -> None:
        tools, image = TypedState(server.state, ToolsState).name, TypedState(server.state, ImageState).name
        with html.Div(v_if=(f"!{tools.is_image_open}",), classes="sam-welcome"), html.Div(style="text-align: center;"):
            html.Div("S", classes="sam-mark", style="width: 54px; height: 54px; font-size: 30px; margin: 0 auto 18px;")
            html.Div("Click on a structure, get its mask.", style="font-size: 21px; font-weight: 600;")
            html.Div(
                f"{{{{ {image.is_there} ? 'Choose an image on the left, or press N for the next one.' : "
                "'Waiting for the server.' }}",
                classes="sam-faint mt-2",
                style="font-size: 14px;",
            )
