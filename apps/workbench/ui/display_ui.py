"""How the image is shown: window, layout."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from trame.widgets import html
from trame.widgets.vuetify3 import VBtn, VBtnToggle, VIcon, VRangeSlider, VTooltip
from trame_server.utils.typed_state import TypedState
from undo_stack import Signal

from .parts import Section

LAYOUTS = (
    ("Main", "mdi-view-compact-outline", "One large slice, two others, 3-D (F)"),
    ("Four", "mdi-view-grid-outline", "Four equal views"),
    ("One", "mdi-square-outline", "One slice"),
    ("3D", "mdi-video-3d", "Only 3-D"),
)


@dataclass
class DisplayState:
    presets: list[str] = field(default_factory=list)
    preset: str = ""
    window: list[float] = field(default_factory=lambda: [0.0, 1.0])
    lowest: float = 0.0
    highest: float = 1.0
    is_grey: bool = False
    is_flat: bool = False
    layout: str = "Main"


class DisplayUI(Section):
    preset_clicked = Signal(str)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("View", **kwargs)
        name = TypedState(self.state, DisplayState).name
        preset = self.server.trigger_name(self.preset_clicked)
        with (
            self.heading,
            VBtnToggle(
                v_if=(f"!{name.is_flat}",),
                v_model=(name.layout,),
                mandatory=True,
                density="compact",
                variant="text",
                style="height: 28px;",
            ),
        ):
            for layout, icon, tip in LAYOUTS:
                with VBtn(value=layout, size="x-small", min_width=30):
                    VIcon(icon, size=18)
                    VTooltip(tip, activator="parent", location="bottom")
        with self, html.Div(v_if=(name.is_grey,)):
            with html.Div(classes="d-flex flex-wrap", style="gap: 4px;"):
                VBtn(
                    "{{ one }}",
                    v_for=f"one in {name.presets}",
                    key="one",
                    size="x-small",
                    height=26,
                    style="padding: 0 7px; min-width: 0;",
                    rounded="lg",
                    variant=(f"one === {name.preset} ? 'flat' : 'tonal'",),
                    color=(f"one === {name.preset} ? 'primary' : undefined",),
                    click=f"trigger('{preset}', [one])",
                )
            VRangeSlider(
                v_model=(name.window,),
                min=(name.lowest,),
                max=(name.highest,),
                step=1,
                density="compact",
                hide_details=True,
                color="primary",
                classes="mt-2 mx-1",
            )
