"""PySide6 under the names and with the manners of PythonQt, so that the panel is tried with a real Qt.

Desktop Slicer gives Python its Qt through PythonQt, as the modules `qt` and `ctk`. What differs from PySide6, and is
mapped here and nowhere else:

- a Qt property is an attribute that is read and set: `button.text`, `button.enabled = False` (`name` is `objectName`).
  Calling it, as PySide6 has it, fails here as it does there. Setters (`setText`) are there, too.
- signals are connected by their C++ signature: `button.connect("clicked()", function)`; one that does not exist fails.
- enumerations are found in their class: `qt.QFrame.HLine`.
- whatever a slot raises is printed and forgotten by PythonQt. Here it is kept in `raised_in_slots`, for tests.

The widgets of CTK and of Slicer that the panel uses are placeholders with the same properties and signals, drawn so
that a picture of the panel is like Slicer's.
"""

from __future__ import annotations

import functools
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from PySide6 import QtCore, QtGui, QtUiTools, QtWidgets
from PySide6.QtCore import Property, QMetaObject, QObject, QSize, Qt, Signal

raised_in_slots: list[BaseException] = []
"""What functions that were connected to a signal have raised since the list was emptied."""


class Wrapped:
    """An object of Qt with PythonQt's manners."""

    def __init__(self, inside: Any) -> None:
        object.__setattr__(self, "inside", inside)

    def __getattr__(self, name: str) -> Any:
        real = _property_name(self.inside, name)
        if real is not None:
            return wrap(self.inside.property(real))
        if name == "connect" and isinstance(self.inside, QObject):
            return functools.partial(_connect, self.inside)
        if name.startswith("_"):
            raise AttributeError(name)
        return _wrapped_member(getattr(self.inside, name))

    def __setattr__(self, name: str, value: Any) -> None:
        real = _property_name(self.inside, name)
        if real is None:
            raise AttributeError(f"{type(self.inside).__name__} has no property '{name}'; PythonQt would not take it.")
        if not self.inside.setProperty(real, unwrap(value)):
            raise TypeError(f"{type(self.inside).__name__}.{name} cannot be {value!r}.")

    def __eq__(self, other: object) -> bool:
        return self.inside == unwrap(other)

    def __hash__(self) -> int:
        return hash(self.inside)

    def __bool__(self) -> bool:
        return True


class WrappedClass:
    """A class of Qt, whose instances come wrapped."""

    def __init__(self, inside: type) -> None:
        self.inside = inside

    def __call__(self, *arguments: Any) -> Wrapped:
        return Wrapped(self.inside(*map(unwrap, arguments)))

    def __getattr__(self, name: str) -> Any:
        return _wrapped_member(getattr(self.inside, name))


class QtModule(ModuleType):
    """The module `qt`: all of Qt's classes in one place."""

    def __getattr__(self, name: str) -> Any:
        if name == "QUiLoader":
            return _Loader
        for part in (QtCore, QtGui, QtWidgets):
            if hasattr(part, name):
                found = getattr(part, name)
                return WrappedClass(found) if isinstance(found, type) else found
        raise AttributeError(f"Qt has no {name}.")


def wrap(value: Any) -> Any:
    """Return objects of Qt with PythonQt's manners, lists of them, too, and everything else as it is."""
    if isinstance(value, list):
        return [wrap(one) for one in value]
    is_qt = type(value).__module__.startswith(("PySide6", "Shiboken")) or isinstance(value, QObject)
    is_enumeration = hasattr(type(value), "__members__")
    return Wrapped(value) if is_qt and not is_enumeration else value


def unwrap(value: Any) -> Any:
    """Return the object of PySide6 inside."""
    if isinstance(value, (Wrapped, WrappedClass)):
        return value.inside
    if isinstance(value, (list, tuple)):
        return type(value)(unwrap(one) for one in value)
    return value


@contextmanager
def installed() -> Iterator[ModuleType]:
    """Have `import qt` find the stand-in, and give it; an application of Qt is there meanwhile and after."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QtWidgets.QApplication.instance() or QtWidgets.QApplication([])
    # What the panel keeps between sessions goes into a folder of the test's, not among the person's own settings.
    settings = tempfile.TemporaryDirectory()
    QtCore.QSettings.setDefaultFormat(QtCore.QSettings.Format.IniFormat)
    QtCore.QSettings.setPath(QtCore.QSettings.Format.IniFormat, QtCore.QSettings.Scope.UserScope, settings.name)
    application.setOrganizationName("Samantic tests")
    application.setStyle("Fusion")
    font = QtGui.QFont("DejaVu Sans")
    font.setPixelSize(12)
    application.setFont(font)
    before = sys.modules.get("qt")
    sys.modules["qt"] = module = QtModule("qt")
    try:
        yield module
    finally:
        settings.cleanup()
        del sys.modules["qt"]
        if before is not None:
            sys.modules["qt"] = before


class QMRMLWidget(QtWidgets.QWidget):
    """The root of a panel: hands the scene to the widgets in it."""

    mrmlSceneChanged = Signal("vtkMRMLScene*")  # noqa: N815 - the name in Slicer


class QMRMLNodeComboBox(QtWidgets.QComboBox):
    """A list of nodes of the scene; here of (id, name)."""

    currentNodeIDChanged = Signal(str)  # noqa: N815
    nodeActivated = Signal("vtkMRMLNode*")  # noqa: N815

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._options: dict[str, Any] = {"nodeTypes": [], "noneDisplay": "None"}
        self.addItem("choose an open image", "")
        self.currentIndexChanged.connect(lambda _: self.currentNodeIDChanged.emit(self.currentData() or ""))

    def show_nodes(self, nodes: list[tuple[str, str]]) -> None:
        """Stand for a scene with these nodes, each (id, name)."""
        for node_id, name in nodes:
            self.addItem(name, node_id)

    def _get_node(self) -> str:
        return self.currentData() or ""

    def _set_node(self, node_id: str) -> None:
        self.setCurrentIndex(max(0, self.findData(node_id)))

    currentNodeID = Property(str, _get_node, _set_node)  # noqa: N815

    def _option(name: str, kind: str) -> Property:  # type: ignore[misc] # noqa: N805
        def get(self: QMRMLNodeComboBox) -> Any:
            return self._options.get(name)

        def put(self: QMRMLNodeComboBox, value: Any) -> None:
            self._options[name] = value

        return Property(kind, get, put)

    nodeTypes = _option("nodeTypes", "QStringList")  # noqa: N815
    addEnabled = _option("addEnabled", "bool")  # noqa: N815
    removeEnabled = _option("removeEnabled", "bool")  # noqa: N815
    noneEnabled = _option("noneEnabled", "bool")  # noqa: N815
    noneDisplay = _option("noneDisplay", "QString")  # noqa: N815

    @QtCore.Slot("vtkMRMLScene*")
    def setMRMLScene(self, _scene: object) -> None:  # noqa: N802
        """Take a scene; the stand-in has its nodes from `show_nodes`."""


class CtkCollapsibleButton(QtWidgets.QWidget):
    """A heading that shows and hides what is under it."""

    contentsCollapsed = Signal(bool)  # noqa: N815
    HEIGHT = 26

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._text, self._collapsed = "", False
        self.setContentsMargins(0, self.HEIGHT, 0, 0)

    def _get_text(self) -> str:
        return self._text

    def _set_text(self, text: str) -> None:
        self._text = text
        self.update()

    def _get_collapsed(self) -> bool:
        return self._collapsed

    def _set_collapsed(self, collapsed: bool) -> None:
        changed = collapsed != self._collapsed
        self._collapsed = collapsed
        self.setMaximumHeight(self.HEIGHT if collapsed else 16777215)
        for child in self.findChildren(QtWidgets.QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly):
            if collapsed:
                child.setProperty("hidden_by_heading", not child.isHidden())
                child.hide()
            elif child.property("hidden_by_heading"):
                child.show()
        self.updateGeometry()
        if changed:
            self.contentsCollapsed.emit(collapsed)

    text = Property(str, _get_text, _set_text)
    collapsed = Property(bool, _get_collapsed, _set_collapsed)

    def showEvent(self, event: QtGui.QShowEvent) -> None:  # noqa: N802
        """Children that were made after `collapsed` was set are hidden as well."""
        if self._collapsed:
            self._set_collapsed(True)
        super().showEvent(event)

    def mousePressEvent(self, event: QtGui.QMouseEvent) -> None:  # noqa: N802
        """A click on the heading shows or hides."""
        if event.position().y() < self.HEIGHT:
            self._set_collapsed(not self._collapsed)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Just the heading when collapsed."""
        return QSize(80, self.HEIGHT) if self._collapsed else super().minimumSizeHint()

    def sizeHint(self) -> QSize:  # noqa: N802
        """Just the heading when collapsed."""
        return QSize(200, self.HEIGHT) if self._collapsed else super().sizeHint()

    def paintEvent(self, _event: QtGui.QPaintEvent) -> None:  # noqa: N802
        """Draw the heading like CTK: a raised bar with an arrow, a frame around what is open."""
        painter = QtGui.QPainter(self)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        bar = QtCore.QRectF(0.5, 0.5, self.width() - 1, self.HEIGHT - 2)
        painter.setPen(QtGui.QPen(self.palette().mid().color(), 1))
        if not self._collapsed:
            painter.drawRoundedRect(QtCore.QRectF(0.5, 0.5, self.width() - 1, self.height() - 1), 4, 4)
        painter.setBrush(self.palette().button().color().lighter(103))
        painter.drawRoundedRect(bar, 4, 4)
        painter.setPen(self.palette().buttonText().color())
        font = QtGui.QFont(self.font())
        font.setBold(not self._collapsed)
        painter.setFont(font)
        painter.drawText(bar.adjusted(24, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, self._text)
        painter.setBrush(self.palette().buttonText().color())
        x, y = 12.0, self.HEIGHT / 2 - 0.5
        corners = [(-3, -4), (3, 0), (-3, 4)] if self._collapsed else [(-4, -2), (4, -2), (0, 4)]
        painter.drawPolygon(QtGui.QPolygonF([QtCore.QPointF(x + a, y + b) for a, b in corners]))


class CtkSearchBox(QtWidgets.QLineEdit):
    """A line to search with."""


class CtkPathLineEdit(QtWidgets.QWidget):
    """A line for a path with a button to browse."""

    currentPathChanged = Signal(str)  # noqa: N815

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        row = QtWidgets.QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        self._line, browse = QtWidgets.QLineEdit(self), QtWidgets.QToolButton(self)
        browse.setText("…")
        row.addWidget(self._line)
        row.addWidget(browse)
        self._line.textChanged.connect(self.currentPathChanged)

    def _get_path(self) -> str:
        return self._line.text()

    def _set_path(self, path: str) -> None:
        self._line.setText(path)

    currentPath = Property(str, _get_path, _set_path)  # noqa: N815


CUSTOM_WIDGETS = {
    name: type(name, (placeholder,), {})
    for name, placeholder in {
        "qMRMLWidget": QMRMLWidget,
        "qMRMLNodeComboBox": QMRMLNodeComboBox,
        "ctkCollapsibleButton": CtkCollapsibleButton,
        "ctkSearchBox": CtkSearchBox,
        "ctkPathLineEdit": CtkPathLineEdit,
    }.items()
}
"""Placeholders by the name of what they stand for, which the loader goes by."""


class _Loader:
    """`QUiLoader` that knows the placeholders."""

    def __init__(self) -> None:
        self.loader = QtUiTools.QUiLoader()
        for placeholder in CUSTOM_WIDGETS.values():
            self.loader.registerCustomWidget(placeholder)

    def load(self, file: Any) -> Any:
        """Return the widget of a .ui file, None if it cannot be made."""
        widget = self.loader.load(unwrap(file))
        return None if widget is None else Wrapped(widget)


def _property_name(inside: Any, name: str) -> str | None:
    if not isinstance(inside, QObject):
        return None
    real = "objectName" if name == "name" else name
    known = inside.metaObject().indexOfProperty(real) >= 0 or real.encode() in inside.dynamicPropertyNames()
    return real if known else None


def _wrapped_member(member: Any) -> Any:
    if not callable(member) or isinstance(member, type):
        return WrappedClass(member) if isinstance(member, type) else wrap(member)

    @functools.wraps(member, assigned=())
    def call(*arguments: Any) -> Any:
        prepared = [_kept(one) if _is_python_function(one) else unwrap(one) for one in arguments]
        return wrap(member(*prepared))

    return call


def _connect(sender: QObject, signature: str, receiver: Callable[..., Any]) -> bool:
    normalised = bytes(QMetaObject.normalizedSignature(signature).data()).decode()
    if sender.metaObject().indexOfSignal(normalised) < 0:
        raise ValueError(f"{type(sender).__name__} has no signal {signature}.")
    count = 0 if signature.endswith("()") else signature.count(",") + 1
    kept = _kept(receiver)
    # PySide6 looks at how many arguments a function takes, and leaves out those with a default in C++.
    takes = (lambda: kept(), lambda one: kept(one), lambda one, other: kept(one, other))[count]
    getattr(sender, signature.partition("(")[0]).connect(takes)
    return True


def _kept(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*values: Any) -> None:
        try:
            function(*map(wrap, values))
        except Exception as error:
            raised_in_slots.append(error)

    return call


def _is_python_function(value: Any) -> bool:
    return callable(value) and not isinstance(value, (Wrapped, WrappedClass))
