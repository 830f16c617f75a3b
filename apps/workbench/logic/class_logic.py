"""The class of the object."""

from __future__ import annotations

from typing import Any

from SamanticLib.answers import ClassEntry
from SamanticLib.classes import ClassList
from SamanticLib.session_state import SessionView

from ..ui.class_ui import ClassState, ClassUI
from .base import PartLogic, as_hex

MOST_SHOWN = 60


class ClassLogic(PartLogic[ClassState]):
    """Searching and choosing."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._entries: tuple[ClassEntry, ...] = ()
        self._classes = ClassList(())
        self._chosen: ClassEntry | None = None
        self._typed_state.bind_changes({self.name.search: self._on_search})

    def set_ui(self, ui: ClassUI) -> None:
        """Connect what a person clicks."""
        ui.class_chosen.connect(self.choose)
        ui.described.connect(self._describe)
        ui.change_clicked.connect(self.begin_choosing)
        ui.first_wanted.connect(self._take_first)

    def begin_choosing(self) -> None:
        """Show the list."""
        self.data.is_choosing = True
        self.data.search = ""

    def choose(self, name: str) -> None:
        """Begin an object of a class."""
        self.data.search = ""
        self.session.choose_class(name)

    def show(self, view: SessionView) -> None:
        """Write what there is to see."""
        self.data.is_image_open = view.image is not None
        if view.classes != self._entries:
            self._entries, self._classes = view.classes, ClassList(view.classes)
            self._on_search(self.data.search)
        if view.chosen is not self._chosen:
            self._chosen = view.chosen
            self.data.chosen = _shown(view.chosen) if view.chosen else None
            self.data.is_choosing = view.chosen is None

    def _on_search(self, text: str | None) -> None:
        words = (text or "").strip()
        found = self._classes.search(words, MOST_SHOWN) if words else self._entries[:MOST_SHOWN]
        self.data.found = [_shown(entry) for entry in found]

    def _take_first(self) -> None:
        found = self.data.found
        if found:
            self.choose(found[0]["name"])
        elif self.data.search:
            self._describe(self.data.search)

    def _describe(self, words: str) -> None:
        self.data.search = ""
        self.session.describe(words)


def _shown(entry: ClassEntry) -> dict[str, Any]:
    code = entry.code.type
    return {
        "name": entry.name,
        "label": entry.label,
        "colour": as_hex(entry.rgb),
        "code": f"SNOMED {code.value}" if code.scheme == "SCT" else "",
        "description": entry.description,
    }
