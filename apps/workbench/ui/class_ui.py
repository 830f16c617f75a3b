"""The class of the object: searched by name, synonym or code, each in its colour."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from trame.widgets import html
from trame.widgets.vuetify3 import VBtn, VIcon, VTextField, VTooltip
from trame_server.utils.typed_state import TypedState
from undo_stack import Signal

from .parts import Section, tag


@dataclass
class ClassState:
    search: str = ""
    found: list[dict[str, Any]] = field(default_factory=list)
    chosen: dict[str, Any] | None = None
    is_image_open: bool = False
    is_choosing: bool = True
    models: list[str] = field(default_factory=list)
    model: str = ""


class ClassUI(Section):
    class_chosen = Signal(str)
    described = Signal(str)
    change_clicked = Signal()
    first_wanted = Signal()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("Class", **kwargs)
        typed_state = TypedState(self.state, ClassState)
        name = typed_state.name
        choose = self.server.trigger_name(self.class_chosen)
        describe = self.server.trigger_name(self.described)
        with self, html.Div(v_if=(name.is_image_open,)):
            with (
                html.Div(
                    v_if=(f"{name.chosen} && !{name.is_choosing}",),
                    classes="sam-card d-flex align-center",
                    style="gap: 10px;",
                    raw_attrs=tag("chosen-class"),
                ),
            ):
                html.Span(
                    classes="sam-dot", style=(f"{{ background: {name.chosen}.colour, width: '14px', height: '14px' }}",)
                )
                with html.Div(style="flex: 1; overflow: hidden;"):
                    html.Div(
                        f"{{{{ {name.chosen}.label }}}}",
                        style="font-size: 15px; font-weight: 600; text-transform: none;",
                    )
                    html.Div(f"{{{{ {name.chosen}.code }}}}", classes="sam-code")
                    VTooltip(
                        f"{{{{ {name.chosen}.description }}}}", activator="parent", location="bottom", max_width=420
                    )
                VBtn("Change", variant="text", size="small", click=self.change_clicked)
            with html.Div(v_else=True):
                VTextField(
                    v_model=(name.search,),
                    placeholder="Search: name, synonym, code",
                    prepend_inner_icon="mdi-magnify",
                    density="compact",
                    variant="solo-filled",
                    flat=True,
                    hide_details=True,
                    clearable=True,
                    autocomplete="off",
                    id="class-search",
                    raw_attrs=[f'''@keydown.enter="trigger('{self.server.trigger_name(self.first_wanted)}')"'''],
                )
                with html.Div(style="max-height: max(236px, calc(100vh - 420px)); overflow-y: auto; margin-top: 6px;"):
                    with html.Div(
                        v_for=f"one in {name.found}",
                        key="one.name",
                        classes="sam-row",
                        click=f"trigger('{choose}', [one.name])",
                        title=("one.description",),
                        raw_attrs=[':data-class="one.name"'],
                    ):
                        html.Span(classes="sam-dot", style=("{ background: one.colour }",))
                        html.Span("{{ one.label }}", classes="grow")
                        html.Span("{{ one.code.replace('SNOMED ', '') }}", classes="sam-code")
                    with html.Div(
                        v_if=(f"{name.search} && {name.search}.length > 2 && !{name.found}.length",),
                        classes="sam-row",
                        click=f"trigger('{describe}', [{name.search}])",
                    ):
                        VIcon("mdi-text-box-outline", size=17)
                        html.Span(f"Describe it in words: “{{{{ {name.search} }}}}”", classes="grow")
