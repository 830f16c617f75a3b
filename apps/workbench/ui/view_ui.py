"""What lies over a view: its name, its slice, two quiet buttons."""

from __future__ import annotations

from typing import Any

from trame.widgets import html
from trame.widgets.vuetify3 import VBtn, VIcon, VSlider, VTooltip
from trame_slicer.app.logic import connect_slice_view_slider_to_state

FEWEST = 3
"""Steps of a slider; trame-slicer gives a picture of one slice two."""

NAMES = {"Red": "Axial", "Green": "Coronal", "Yellow": "Sagittal", "ThreeD": "3-D"}


def slice_view_ui(server: Any, view_id: str, view: Any) -> None:
    """Build what lies over a slice view."""
    slider = connect_slice_view_slider_to_state(server, view)
    name = slider.name
    count = f"Math.round(({name.max_value} - {name.min_value}) / {name.step})"
    with html.Div(classes="sam-view-name", raw_attrs=[f'data-view="{view_id}"']):
        html.Span(NAMES.get(view.get_singleton_tag(), ""), v_if=(f"{count} >= {FEWEST}",))
        html.Span(
            f"{{{{ Math.round(({name.value} - {name.min_value}) / {name.step}) + 1 }}}} / {{{{ {count} + 1 }}}}",
            v_if=(f"{count} >= {FEWEST}",),
            style="margin-left: 10px; font-weight: 400; color: #8a96a2;",
        )
    _fit(view)
    with html.Div(classes="sam-view-slider"):
        VSlider(
            v_model=(slider.name.value,),
            min=(slider.name.min_value,),
            max=(slider.name.max_value,),
            step=(slider.name.step,),
            v_show=(f"{count} >= {FEWEST}",),
            density="compact",
            hide_details=True,
            thumb_size=12,
            track_size=3,
            color="primary",
            raw_attrs=[f'data-slider="{view_id}"'],
        )


def threed_view_ui(server: Any, view_id: str, view: Any) -> None:  # noqa: ARG001
    """Build what lies over the 3-D view."""
    _name(view)
    _fit(view)


def _name(view: Any) -> None:
    html.Div(NAMES.get(view.get_singleton_tag(), ""), classes="sam-view-name")


def _fit(view: Any) -> None:
    with (
        html.Div(classes="sam-view-buttons"),
        VBtn(icon=True, size="x-small", variant="text", click=view.reset_view),
    ):
        VIcon("mdi-fit-to-page-outline", size=17)
        VTooltip("Fit", activator="parent", location="left")
