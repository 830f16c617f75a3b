"""The line at the top that says what to do next, the server's state, sentences to the person, the list of keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trame.widgets import html
from trame.widgets.vuetify3 import (
    VBtn,
    VCard,
    VCardText,
    VCardTitle,
    VDialog,
    VIcon,
    VProgressCircular,
    VProgressLinear,
    VSpacer,
    VTextField,
    VTooltip,
)
from trame_server.utils.typed_state import TypedState
from undo_stack import Signal

from .parts import tag

SHORTCUTS = (
    ("/", "Search the classes"),
    ("1", "Point: belongs to it"),
    ("2", "Point: does not belong to it"),
    ("3", "Box"),
    ("4", "Scribble"),
    ("5", "Lasso"),
    ("V", "Look around"),
    ("P", "Paint"),
    ("E", "Erase"),
    ("Ctrl + click", "The opposite of what the tool says"),
    ("Enter", "Ask the model about the marks"),
    ("O", "Outline without a mark (skin lesions)"),
    ("G", "Follow through the slices"),
    ("U", "Where the model is unsure"),
    ("A", "Accept"),
    ("S", "Submit"),
    ("N", "Next image"),
    ("Ctrl Z, Ctrl Y", "Undo, redo"),
    ("Esc", "Cancel what takes long; close a message"),
    ("F", "Another layout"),
    ("H", "Show and hide the segments"),
    ("?", "This list"),
)


@dataclass
class StatusState:
    next_step: str = "Connect to a server."
    connection: str = "none"
    url: str = ""
    server: str = ""
    notice_kind: str = "info"
    notice: str = ""
    progress: str = ""
    done: int = 0
    total: int = 0
    can_cancel: bool = False
    asking: bool = False
    help_shown: bool = False
    connect_shown: bool = False


class StatusUI:
    """Built in pieces, each where the layout wants it."""

    cancel_clicked = Signal()
    notice_closed = Signal()
    connect_clicked = Signal()

    def __init__(self, server: Any) -> None:
        self._typed_state = TypedState(server.state, StatusState)
        self._name = self._typed_state.name

    def build_bar(self) -> None:
        """The bar at the top."""
        name = self._name
        with html.Div(classes="d-flex align-center px-4", style="width: 100%; gap: 14px; height: 100%;"):
            html.Div("S", classes="sam-mark")
            html.Div("Samantic", style="font-weight: 650; font-size: 15px; letter-spacing: .01em;")
            html.Div(style="width: 1px; height: 22px; background: #2c343c; margin: 0 6px;")
            with html.Div(style="width: 20px; display: flex; justify-content: center; flex: none;"):
                VProgressCircular(
                    v_if=(f"{name.asking} || ({name.progress} && !{name.total})",),
                    indeterminate=True,
                    size=18,
                    width=2,
                    color="primary",
                )
                VIcon("mdi-arrow-right-thin", v_else=True, classes="sam-next-arrow", size=22)
            html.Div(f"{{{{ {name.next_step} }}}}", classes="sam-next", raw_attrs=tag("next-step"))
            with html.Div(
                v_if=(f"{name.progress} && {name.total}",),
                classes="d-flex align-center",
                style="gap: 10px; flex: none;",
            ):
                VProgressLinear(
                    model_value=(f"100 * {name.done} / {name.total}",),
                    color="primary",
                    rounded=True,
                    height=6,
                    style="width: 150px;",
                )
                html.Span(f"{{{{ {name.done} }}}} of {{{{ {name.total} }}}}", classes="sam-faint")
            VBtn(
                "Cancel",
                v_if=(name.can_cancel,),
                size="small",
                variant="tonal",
                click=self.cancel_clicked,
                raw_attrs=tag("cancel"),
            )
            VSpacer()
            with html.Div(
                classes="d-flex align-center",
                style="gap: 8px; cursor: pointer; flex: none;",
                click=f"{name.connect_shown} = true",
                raw_attrs=tag("connection"),
            ):
                html.Span(
                    classes="sam-dot",
                    style=(
                        "{ background: ({there: '#6cc58a', connecting: '#e8b45a', lost: '#ef7d6d', none: '#66727e'})"
                        f"[{name.connection}] }}",
                    ),
                )
                html.Span(
                    f"{{{{ ({{there: {name.url}.replace('http://', ''), connecting: 'Connecting …', "
                    f"lost: 'Server does not answer', none: 'No server'}})[{name.connection}] }}}}",
                    classes="sam-faint",
                )
                VTooltip(f"{{{{ {name.server} }}}}", activator="parent", location="bottom")
            with VBtn(
                icon=True,
                size="small",
                variant="text",
                click=f"{name.help_shown} = true",
                raw_attrs=tag("help"),
            ):
                VIcon("mdi-keyboard-outline")
                VTooltip("Keys (?)", activator="parent", location="bottom")

    def build_overlays(self) -> None:
        """Sentences to the person, and the dialogs."""
        name = self._name
        with html.Div(v_if=(name.notice,), classes=(f"['sam-note', {name.notice_kind}]",), raw_attrs=tag("notice")):
            VIcon(
                icon=(
                    "({error: 'mdi-alert-circle-outline', good: 'mdi-check-circle-outline', "
                    f"info: 'mdi-information-outline'}})[{name.notice_kind}]",
                ),
                color=(name.notice_kind + " === 'good' ? 'success' : " + name.notice_kind,),
            )
            html.Span(f"{{{{ {name.notice} }}}}")
            with VBtn(icon=True, size="x-small", variant="text", click=self.notice_closed):
                VIcon("mdi-close", size=16)
        self._build_help()
        self._build_connect()

    def _build_help(self) -> None:
        with VDialog(v_model=(self._name.help_shown,), width=620), VCard(rounded="lg"):
            VCardTitle("Keys", classes="pt-5 px-6")
            with VCardText(classes="px-6 pb-6", style="display: grid; grid-template-columns: 1fr 1fr; gap: 9px 28px;"):
                for key, words in SHORTCUTS:
                    with html.Div(classes="d-flex align-center justify-space-between"):
                        html.Span(words, style="font-size: 13px;")
                        html.Span(key, classes="sam-key")

    def _build_connect(self) -> None:
        name = self._name
        with VDialog(v_model=(name.connect_shown,), width=460), VCard(rounded="lg"):
            VCardTitle("Server", classes="pt-5 px-6")
            with VCardText(classes="px-6 pb-6"):
                VTextField(
                    v_model=(name.url,),
                    label="Address",
                    variant="solo-filled",
                    flat=True,
                    hide_details=True,
                )
                html.Div("Start one with:  samantic demo --serve", classes="sam-faint mt-3")
                VBtn("Connect", color="primary", variant="flat", block=True, classes="mt-4", click=self.connect_clicked)
