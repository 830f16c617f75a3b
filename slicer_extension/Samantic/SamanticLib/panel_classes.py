"""The part of the panel in which the person says what is outlined: model, class, words of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import qt

from SamanticLib.answers import ClassEntry
from SamanticLib.classes import ClassList
from SamanticLib.panel_pictures import bar, swatch
from SamanticLib.session import AnnotationSession
from SamanticLib.session_state import PresenceBar, SessionView

CLASS_COLUMN, PRESENCE_COLUMN = 0, 1


class ClassPart:
    """The searchable list of classes, with a bar for each that the model sees in this slice."""

    def __init__(self, ui: Any, session: AnnotationSession, told: Callable[..., Any]) -> None:
        self._ui = ui
        self._session = session
        self._classes: tuple[ClassEntry, ...] = ()
        self._models: tuple[str, ...] = ()
        self._items: dict[str, Any] = {}
        self._with_bars: set[str] = set()
        ui.classSearchBox.connect("textChanged(QString)", told(lambda _: self._list_classes()))
        ui.classSearchBox.connect("returnPressed()", told(self.choose_first))
        ui.classTree.connect("itemClicked(QTreeWidgetItem*,int)", told(lambda item, _: self._choose(item)))
        ui.classTree.connect("itemActivated(QTreeWidgetItem*,int)", told(lambda item, _: self._choose(item)))
        ui.modelComboBox.connect("activated(int)", told(lambda _: session.choose_model(ui.modelComboBox.currentText)))
        ui.textLineEdit.connect("returnPressed()", told(self.describe))
        ui.textButton.connect("clicked()", told(self.describe))

    def choose_first(self) -> None:
        """Choose the class that fits the search best."""
        if self._ui.classTree.topLevelItemCount:
            self._choose(self._ui.classTree.topLevelItem(0))

    def describe(self) -> None:
        """Begin an object of what is described in words."""
        if self._ui.textLineEdit.text.strip():
            self._session.describe(self._ui.textLineEdit.text)

    def draw(self, view: SessionView) -> None:
        """Draw models, classes, the chosen one and what is present in the slice."""
        ui = self._ui
        if view.models != self._models:
            self._models = view.models
            ui.modelComboBox.clear()
            for name in view.models:
                ui.modelComboBox.addItem(name)
        if view.model in view.models:
            ui.modelComboBox.setCurrentIndex(view.models.index(view.model))
        if view.classes != self._classes:
            self._classes = view.classes
            self._list_classes()
        ui.modelComboBox.enabled = bool(view.models) and not view.asking
        ui.classTree.enabled = ui.classSearchBox.enabled = bool(view.classes)
        ui.textLineEdit.enabled = ui.textButton.enabled = view.image is not None
        ui.classLabel.text = _about_class(view)
        is_flat = view.image is not None and view.image.is_flat
        ui.classTree.headerItem().setText(PRESENCE_COLUMN, "In this picture" if is_flat else "In this slice")
        self._mark_chosen(view.chosen)
        self._draw_presence(view.answer.presence if view.answer else ())

    def _list_classes(self) -> None:
        tree = self._ui.classTree
        text = self._ui.classSearchBox.text.strip()
        found = ClassList(self._classes).search(text) if text else self._classes
        tree.clear()
        self._items, self._with_bars = {}, set()
        for entry in found:
            item = qt.QTreeWidgetItem()
            item.setText(CLASS_COLUMN, entry.label)
            item.setIcon(CLASS_COLUMN, swatch(entry.rgb))
            item.setToolTip(CLASS_COLUMN, _about_entry(entry))
            item.setData(CLASS_COLUMN, qt.Qt.UserRole, entry.name)
            tree.addTopLevelItem(item)
            self._items[entry.name] = item
        tree.setColumnWidth(CLASS_COLUMN, max(180, tree.width - 160))
        view = self._session.view
        self._mark_chosen(view.chosen)
        self._draw_presence(view.answer.presence if view.answer else ())

    def _choose(self, item: Any) -> None:
        self._session.choose_class(item.data(CLASS_COLUMN, qt.Qt.UserRole))

    def _mark_chosen(self, chosen: ClassEntry | None) -> None:
        item = self._items.get(chosen.name) if chosen else None
        tree = self._ui.classTree
        tree.blockSignals(True)
        if item is None:
            tree.clearSelection()
        else:
            tree.setCurrentItem(item)
        tree.blockSignals(False)

    def _draw_presence(self, presence: Sequence[PresenceBar]) -> None:
        for name in self._with_bars:
            self._items[name].setIcon(PRESENCE_COLUMN, qt.QIcon())
            self._items[name].setText(PRESENCE_COLUMN, "")
        self._with_bars = {one.class_name for one in presence if one.class_name in self._items}
        for one in presence:
            if one.class_name in self._items:
                draw_bar(self._items[one.class_name], one)


def draw_bar(item: Any, one: PresenceBar) -> None:
    """Draw how probably a class is in the slice into the second column of its row."""
    item.setIcon(PRESENCE_COLUMN, bar(one.probability, one.rgb))
    item.setText(PRESENCE_COLUMN, f"{100 * one.probability:.0f} %")


def _about_class(view: SessionView) -> str:
    if view.chosen is None:
        return "No class chosen yet." if view.image is not None else "The classes are those of the open image's kind."
    return f"Outlining: {view.chosen.label}" + (f", with {view.model}" if view.model else "")


def _about_entry(entry: ClassEntry) -> str:
    also = f"Also: {', '.join(entry.synonyms)}." if entry.synonyms else ""
    codes = f"{entry.code.type.meaning} ({entry.code.type.scheme} {entry.code.type.value})"
    return "\n".join(text for text in (entry.description, also, codes) if text)
