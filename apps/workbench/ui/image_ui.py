"""The images of the server: which is open, which comes next."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from trame.widgets import html
from trame.widgets.vuetify3 import (
    Template,
    VAutocomplete,
    VBtn,
    VCard,
    VCardActions,
    VCardText,
    VDialog,
    VIcon,
    VList,
    VListItem,
    VListItemTitle,
    VMenu,
    VSpacer,
)
from trame_server.utils.typed_state import TypedState
from undo_stack import Signal

from .parts import Section, tag

STRATEGIES = {
    "hybrid": "Most to learn from",
    "uncertainty": "Where the model is least sure",
    "diversity": "Least like the labelled ones",
    "random": "At random",
    "first": "The first without a label",
}


@dataclass
class ImageState:
    images: list[dict[str, Any]] = field(default_factory=list)
    image_id: str | None = None
    strategies: list[dict[str, str]] = field(default_factory=list)
    reason: str = ""
    labelled: int = 0
    is_there: bool = False
    is_busy: bool = False
    has_label: bool = False
    leaving: str = ""


class ImageUI(Section):
    image_chosen = Signal(str)
    next_clicked = Signal(str)
    discard_clicked = Signal()
    stay_clicked = Signal()
    load_clicked = Signal()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("Image", **kwargs)
        typed_state = TypedState(self.state, ImageState)
        name = typed_state.name
        choose = self.server.trigger_name(self.image_chosen)
        with self.heading:
            html.Span(
                f"{{{{ {name.labelled} }}}} of {{{{ {name.images}.length }}}} labelled",
                v_if=(f"{name.images}.length",),
                classes="sam-faint",
                style="text-transform: none; letter-spacing: 0; font-weight: 400;",
            )
        with self:
            with (
                html.Div(classes="d-flex align-center", style="gap: 8px;"),
                VAutocomplete(
                    model_value=(name.image_id,),
                    update_modelValue=f"if ($event) trigger('{choose}', [$event]);",
                    items=(name.images,),
                    item_title="id",
                    item_value="id",
                    placeholder="Choose an image",
                    density="compact",
                    variant="solo-filled",
                    flat=True,
                    hide_details=True,
                    disabled=(f"!{name.is_there} || {name.is_busy}",),
                    raw_attrs=tag("image"),
                ),
                Template(v_slot_item="{ props, item }"),
                VListItem(v_bind="props", density="compact", title=("item.raw ? item.raw.id : item.id",)),
                Template(v_slot_append=True),
            ):
                VIcon(
                    "mdi-check-circle",
                    v_if="(item.raw || item).labelled",
                    size=16,
                    color="success",
                )
            with html.Div(classes="d-flex mt-2", style="gap: 1px;"):
                VBtn(
                    "Next image",
                    prepend_icon="mdi-arrow-right",
                    variant="tonal",
                    size="small",
                    height=34,
                    style="flex: 1; border-radius: 8px 0 0 8px;",
                    disabled=(f"!{name.is_there} || {name.is_busy}",),
                    click=lambda: self.next_clicked("hybrid"),
                    raw_attrs=tag("next"),
                )
                with VMenu(location="bottom end"):
                    with (
                        Template(v_slot_activator="{ props }"),
                        VBtn(
                            v_bind="props",
                            variant="tonal",
                            size="small",
                            height=34,
                            min_width=34,
                            style="border-radius: 0 8px 8px 0; padding: 0;",
                            disabled=(f"!{name.is_there} || {name.is_busy}",),
                        ),
                    ):
                        VIcon("mdi-chevron-down")
                    with (
                        VList(density="compact"),
                        VListItem(
                            v_for=f"one in {name.strategies}",
                            key="one.id",
                            click=f"trigger('{self.server.trigger_name(self.next_clicked)}', [one.id])",
                        ),
                    ):
                        VListItemTitle("{{ one.title }}")
            html.Div(
                f"{{{{ {name.reason} }}}}",
                v_if=(name.reason,),
                classes="sam-faint mt-2",
                style="display: -webkit-box; -webkit-line-clamp: 2; -webkit-box-orient: vertical; overflow: hidden;",
                title=(name.reason,),
            )
            with html.Div(v_if=(name.has_label,), classes="sam-card d-flex align-center mt-2", style="gap: 8px;"):
                html.Span("This image has a submitted label.", classes="sam-faint", style="flex: 1;")
                VBtn(
                    "Load it",
                    size="small",
                    variant="tonal",
                    click=self.load_clicked,
                    raw_attrs=tag("load-label"),
                )
            with VDialog(model_value=(f"!!{name.leaving}",), persistent=True, width=460), VCard(rounded="lg"):
                VCardText(
                    "The labels of this image are not submitted. Stay and submit them, or discard them for good?",
                    classes="pt-6 text-body-1",
                )
                with VCardActions(classes="pa-4"):
                    VBtn(
                        "Discard",
                        color="error",
                        variant="text",
                        click=self.discard_clicked,
                        raw_attrs=tag("discard"),
                    )
                    VSpacer()
                    VBtn("Stay", color="primary", variant="flat", click=self.stay_clicked)
