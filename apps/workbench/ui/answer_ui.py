"""What the model says of its mask, and what can be done with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from trame.widgets import html
from trame.widgets.vuetify3 import Template, VBtn, VIcon, VList, VListItem, VListItemTitle, VMenu, VSwitch, VTooltip
from trame_server.utils.typed_state import TypedState
from undo_stack import Signal

from .parts import Section, tag


@dataclass
class AnswerState:
    has_answer: bool = False
    headline: str = ""
    headline_kind: str = "info"
    lines: list[str] = field(default_factory=list)
    presence: list[dict[str, Any]] = field(default_factory=list)
    readings: list[dict[str, Any]] = field(default_factory=list)
    live: bool = True
    can_ask: bool = False
    can_outline: bool = False
    can_propagate: bool = False
    can_accept: bool = False
    can_submit: bool = False
    can_map: bool = False
    map_shown: bool = False
    is_flat: bool = False
    is_pending: bool = False
    primary: str = ""


class AnswerUI(Section):
    reading_chosen = Signal(int)

    def __init__(self, **kwargs: Any) -> None:
        typed_state = None
        super().__init__("What the model says", **kwargs)
        typed_state = TypedState(self.state, AnswerState)
        name = typed_state.name
        reading = self.server.trigger_name(self.reading_chosen)
        with self, html.Div(classes="sam-card", raw_attrs=tag("answer")):
            with html.Div(classes="d-flex align-center", style="gap: 8px; font-size: 14px; font-weight: 500;"):
                VIcon(
                    icon=(
                        f"({{good: 'mdi-check-circle', warning: 'mdi-help-circle', info: 'mdi-information'}})"
                        f"[{name.headline_kind}]",
                    ),
                    color=(f"({{good: 'success', warning: 'warning', info: 'info'}})[{name.headline_kind}]",),
                    size=18,
                )
                html.Span(f"{{{{ {name.headline} }}}}")
            html.Div("{{ line }}", v_for=f"line in {name.lines}", key="line", classes="sam-faint mt-1")
            with html.Div(v_if=(f"{name.readings}.length > 1",), classes="mt-3"):
                html.Div("Other readings of your click", classes="sam-faint mb-1")
                VBtn(
                    "{{ one.title }}",
                    v_for=f"one in {name.readings}",
                    key="one.number",
                    size="small",
                    variant=("one.on ? 'flat' : 'tonal'",),
                    color=("one.on ? 'primary' : undefined",),
                    classes="mr-2",
                    click=f"trigger('{reading}', [one.number])",
                )
            with html.Div(v_if=(f"{name.presence}.length",), classes="mt-3"):
                html.Div("Also in this slice", classes="sam-faint mb-1")
                with html.Div(classes="sam-bars"), Template(v_for=f"one in {name.presence}", key="one.name"):
                    html.Span("{{ one.name }}", classes="label", title=("one.name",))
                    with html.Div(classes="sam-bar-track"):
                        html.Div(
                            classes="sam-bar-fill",
                            style=("{ width: (100 * one.probability) + '%', background: one.colour }",),
                        )
                    html.Span("{{ Math.round(100 * one.probability) }} %", classes="number")


class ActionsUI(html.Div):
    ask_clicked = Signal()
    outline_clicked = Signal()
    propagate_clicked = Signal(str)
    accept_clicked = Signal()
    submit_clicked = Signal()
    map_toggled = Signal(bool)
    live_toggled = Signal(bool)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(classes="sam-actions", **kwargs)
        typed_state = TypedState(self.state, AnswerState)
        name = typed_state.name
        with self:
            with html.Div(classes="d-flex align-center justify-space-between", style="height: 34px;"):
                VSwitch(
                    model_value=(name.live,),
                    update_modelValue=f"trigger('{self.server.trigger_name(self.live_toggled)}', [$event])",
                    label="Answer every mark at once",
                    density="compact",
                    hide_details=True,
                    color="primary",
                    style="transform: scale(.88); transform-origin: left;",
                )
                with VBtn(
                    v_if=(name.can_map,),
                    icon=True,
                    size="small",
                    variant=(f"{name.map_shown} ? 'tonal' : 'text'",),
                    color=(f"{name.map_shown} ? 'warning' : undefined",),
                    click=f"trigger('{self.server.trigger_name(self.map_toggled)}', [!{name.map_shown}])",
                    raw_attrs=tag("map"),
                ):
                    VIcon("mdi-blur")
                    VTooltip("Where the model is unsure (U)", activator="parent", location="top")
            self._wide(
                "Outline it for me", "outline", f"{name.can_outline}", self.outline_clicked, "mdi-auto-fix", name
            )
            VBtn(
                "Ask the model",
                v_if=(f"{name.is_pending} && {name.can_ask}",),
                prepend_icon="mdi-creation-outline",
                block=True,
                height=40,
                classes="mb-2",
                rounded="lg",
                color="primary",
                variant="flat",
                click=self.ask_clicked,
                raw_attrs=tag("ask"),
            )
            with html.Div(v_if=(f"!{name.is_flat}",), classes="d-flex mb-2", style="gap: 1px;"):
                VBtn(
                    "Follow through the slices",
                    prepend_icon="mdi-layers-triple-outline",
                    height=40,
                    style="flex: 1; border-radius: 10px 0 0 10px;",
                    variant=(f"{name.primary} === 'propagate' ? 'flat' : 'tonal'",),
                    color=(f"{name.primary} === 'propagate' ? 'primary' : undefined",),
                    disabled=(f"!{name.can_propagate}",),
                    click=lambda: self.propagate_clicked("both"),
                    raw_attrs=tag("propagate"),
                )
                with VMenu(location="top end"):
                    with (
                        Template(v_slot_activator="{ props }"),
                        VBtn(
                            v_bind="props",
                            height=40,
                            min_width=36,
                            style="border-radius: 0 10px 10px 0; padding: 0;",
                            variant="tonal",
                            disabled=(f"!{name.can_propagate}",),
                        ),
                    ):
                        VIcon("mdi-chevron-up")
                    with VList(density="compact"):
                        for words, direction in (("Only upwards", "up"), ("Only downwards", "down")):
                            with VListItem(click=lambda way=direction: self.propagate_clicked(way)):
                                VListItemTitle(words)
            with html.Div(classes="d-flex", style="gap: 8px;"):
                for text, icon, key, can, signal in (
                    ("Accept", "mdi-check", "accept", name.can_accept, self.accept_clicked),
                    ("Submit", "mdi-cloud-upload-outline", "submit", name.can_submit, self.submit_clicked),
                ):
                    VBtn(
                        text,
                        prepend_icon=icon,
                        height=40,
                        style="flex: 1;",
                        rounded="lg",
                        variant=(f"{name.primary} === '{key}' ? 'flat' : 'tonal'",),
                        color=(f"{name.primary} === '{key}' ? 'primary' : undefined",),
                        disabled=(f"!{can}",),
                        click=signal,
                        raw_attrs=tag(key),
                    )

    def _wide(self, text: str, key: str, can: str, signal: Signal, icon: str, name: Any) -> None:
        VBtn(
            text,
            v_if=(can,),
            prepend_icon=icon,
            block=True,
            height=40,
            classes="mb-2",
            rounded="lg",
            variant=(f"{name.primary} === '{key}' ? 'flat' : 'tonal'",),
            color=(f"{name.primary} === '{key}' ? 'primary' : undefined",),
            click=signal,
            raw_attrs=tag(key),
        )
