"""Small pieces that the parts of the page share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trame.widgets import html
from trame.widgets.vuetify3 import VBtn, VIcon, VTooltip


def tag(name: str) -> list[str]:
    """Return the attribute under which a part of the page is found by whoever drives it."""
    return [f'data-test="{name}"']


class Section(html.Div):
    """A part of a panel under a quiet title."""

    def __init__(self, title: str, **kwargs: Any) -> None:
        super().__init__(classes="sam-section", **kwargs)
        with self:
            self.heading = html.Div(classes="sam-title")
            with self.heading:
                html.Span(title)


class ToolButton(VBtn):
    """A square button with an icon; what it does and its key are in the tooltip."""

    def __init__(
        self,
        icon: str,
        tip: str,
        click: Callable[..., Any] | str,
        on: str = "false",
        disabled: str = "false",
        **kw: Any,
    ) -> None:
        location = kw.pop("location", "right")
        super().__init__(
            classes=(f"['sam-tool', ({on}) ? 'on' : '']",),
            variant="text",
            size="small",
            click=click,
            disabled=(disabled,),
            **kw,
        )
        with self:
            VIcon(icon, size=21)
            VTooltip(tip, activator="parent", location=location)
