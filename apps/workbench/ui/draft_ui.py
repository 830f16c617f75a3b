"""The question whether to go on with a draft."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trame.widgets import html
from trame.widgets.vuetify3 import VBtn, VCard, VCardActions, VCardText, VDialog, VSpacer
from trame_server.utils.typed_state import TypedState
from undo_stack import Signal

from .parts import tag


@dataclass
class DraftState:
    question: str = ""


class DraftUI:
    restore_clicked = Signal()
    discard_clicked = Signal()

    def __init__(self, server: Any) -> None:
        name = TypedState(server.state, DraftState).name
        with VDialog(model_value=(f"!!{name.question}",), persistent=True, width=460), VCard(rounded="lg"):
            with VCardText(classes="pt-6 text-body-1"):
                html.Div(f"{{{{ {name.question} }}}}", raw_attrs=tag("draft"))
            with VCardActions(classes="pa-4"):
                VBtn(
                    "Discard",
                    color="error",
                    variant="text",
                    click=self.discard_clicked,
                    raw_attrs=tag("discard-draft"),
                )
                VSpacer()
                VBtn(
                    "Restore",
                    color="primary",
                    variant="flat",
                    click=self.restore_clicked,
                    raw_attrs=tag("restore-draft"),
                )
