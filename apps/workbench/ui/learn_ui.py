"""Letting the model learn from what was submitted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from trame.widgets import html
from trame.widgets.vuetify3 import VBtn, VBtnToggle, VProgressLinear
from trame_server.utils.typed_state import TypedState
from undo_stack import Signal

from .parts import Section, tag

WIDTH, HEIGHT = 240, 56
"""Of the curve."""


@dataclass
class LearnState:
    models: list[str] = field(default_factory=list)
    model: str = ""
    is_there: bool = False
    is_running: bool = False
    share: float = 0.0
    text: str = ""
    curve: str = ""
    figures: list[str] = field(default_factory=list)
    versions: list[dict[str, str | bool]] = field(default_factory=list)
    labelled: int = 0
    basis: str = ""


class LearnUI(Section):
    train_clicked = Signal(bool)
    stop_clicked = Signal()
    roll_back_clicked = Signal(str)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("Learning", **kwargs)
        name = TypedState(self.state, LearnState).name
        back = self.server.trigger_name(self.roll_back_clicked)
        with (
            self.heading,
            VBtnToggle(
                v_if=(f"{name.models}.length > 1",),
                v_model=(name.model,),
                mandatory=True,
                density="compact",
                variant="text",
                style="height: 26px;",
                disabled=(name.is_running,),
            ),
        ):
            VBtn(
                "{{ one }}",
                v_for=f"one in {name.models}",
                key="one",
                value=("one",),
                size="x-small",
            )
        with self:
            with html.Div(v_if=(name.is_running,), classes="sam-card", raw_attrs=tag("training")):
                html.Div(f"{{{{ {name.text} }}}}", style="font-size: 13.5px; font-weight: 500;")
                VProgressLinear(
                    model_value=(name.share,),
                    indeterminate=(f"!{name.share}",),
                    color="primary",
                    rounded=True,
                    height=5,
                    classes="my-2",
                )
                self._figures(name)
                VBtn(
                    "Stop",
                    size="small",
                    variant="tonal",
                    click=self.stop_clicked,
                    classes="mt-2",
                    raw_attrs=tag("stop"),
                )
            with html.Div(v_else=True):
                html.Div(f"{{{{ {name.basis} }}}}", classes="sam-faint mb-2")
                with html.Div(classes="d-flex", style="gap: 8px;"):
                    for text, thorough, where in (("Quick round", False, "train-quick"), ("Thorough", True, "train")):
                        VBtn(
                            text,
                            variant="tonal",
                            size="small",
                            height=34,
                            style="flex: 1;",
                            rounded="lg",
                            disabled=(f"!{name.is_there} || !{name.labelled}",),
                            click=lambda way=thorough: self.train_clicked(way),
                            raw_attrs=tag(where),
                        )
                self._figures(name)
            with html.Div(
                v_for=f"one in {name.versions}", key="one.version", classes="sam-row mt-1", style="cursor: default;"
            ):
                html.Span("{{ one.name }}", classes="grow")
                html.Span("{{ one.dice }}", classes="sam-code")
                html.Span("in use", v_if="one.served", classes="sam-faint")
                VBtn("Use", v_else=True, size="x-small", variant="text", click=f"trigger('{back}', [one.version])")

    def _figures(self, name: Any) -> None:
        line = '<polyline :points="%s" fill="none" stroke="#46c2b0" stroke-width="2" stroke-linejoin="round"/>'
        html.Svg(
            v_if=(f"{name.curve}",),
            children=line % name.curve,
            style="width: 100%; height: 56px; display: block; margin-top: 8px;",
            raw_attrs=[f'viewBox="0 0 {WIDTH} {HEIGHT}"'],
        )
        html.Div("{{ one }}", v_for=f"one in {name.figures}", key="one", classes="sam-faint mt-1")
