"""The segments of the image: shown, hidden, removed, in 3-D; the options of the editing tools."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from trame.widgets import html
from trame.widgets.vuetify3 import VBtn, VIcon, VSlider, VTooltip
from trame_server.utils.typed_state import TypedState
from trame_slicer.app.ui import IslandsEffectUI, PaintEffectUI, ScissorsEffectUI, SmoothingEffectUI, ThresholdEffectUI
from undo_stack import Signal

from .parts import Section
from .tools_ui import EDITOR_EFFECTS, Tool, ToolsState

OPTIONS = {
    Tool.PAINT: PaintEffectUI,
    Tool.ERASE: PaintEffectUI,
    Tool.SCISSORS: ScissorsEffectUI,
    Tool.THRESHOLD: ThresholdEffectUI,
    Tool.ISLANDS: IslandsEffectUI,
    Tool.SMOOTHING: SmoothingEffectUI,
}


@dataclass
class SegmentsState:
    segments: list[dict[str, Any]] = field(default_factory=list)
    active_id: str = ""
    opacity: float = 0.45
    show_3d: bool = True


class SegmentsUI(Section):
    selected = Signal(str)
    visibility_clicked = Signal(str)
    remove_clicked = Signal(str)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("Segments", **kwargs)
        name = TypedState(self.state, SegmentsState).name
        with self:
            html.Div("What you accept appears here.", v_if=(f"!{name.segments}.length",), classes="sam-faint")
            with html.Div(
                v_for=f"one in {name.segments}",
                key="one.id",
                classes=(f"['sam-row', one.id === {name.active_id} ? 'active' : '']",),
                click=self._call(self.selected),
                raw_attrs=[':data-segment="one.id"'],
            ):
                html.Span(classes="sam-dot", style=("{ background: one.colour, opacity: one.visible ? 1 : .3 }",))
                html.Span("{{ one.name }}", classes="grow")
                VIcon(
                    icon=("one.visible ? 'mdi-eye-outline' : 'mdi-eye-off-outline'",),
                    size=17,
                    color="secondary",
                    raw_attrs=[f'@click.stop="{self._call(self.visibility_clicked)}"'],
                )
                VIcon(
                    "mdi-close",
                    size=17,
                    color="secondary",
                    raw_attrs=[f'@click.stop="{self._call(self.remove_clicked)}"'],
                )
            with html.Div(v_if=(f"{name.segments}.length",), classes="d-flex align-center mt-2", style="gap: 8px;"):
                VSlider(
                    v_model=(name.opacity,),
                    min=0,
                    max=1,
                    step=0.05,
                    density="compact",
                    hide_details=True,
                    prepend_icon="mdi-opacity",
                    color="primary",
                )
                with VBtn(
                    icon=True,
                    size="small",
                    variant=(f"{name.show_3d} ? 'tonal' : 'text'",),
                    click=f"{name.show_3d} = !{name.show_3d}",
                ):
                    VIcon("mdi-video-3d")
                    VTooltip("Surfaces in the 3-D view", activator="parent", location="top")

    def _call(self, signal: Signal) -> str:
        return f"trigger('{self.server.trigger_name(signal)}', [one.id])"


class ToolOptionsUI(Section):
    """The options of the editing tool in use, as trame-slicer has them."""

    def __init__(self, **kwargs: Any) -> None:
        name = None
        super().__init__("Tool", **kwargs)
        name = TypedState(self.state, ToolsState).name
        self._options: dict[type, Any] = {}
        with self:
            for tool, effect in EDITOR_EFFECTS.items():
                self._options[effect] = OPTIONS[tool](v_if=(f"{name.tool} === '{tool.value}'",))

    def get_effect_ui(self, effect: type) -> Any:
        """Return the options of a tool, where trame-slicer's logic looks for them."""
        return self._options[effect]
