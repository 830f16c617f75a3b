"""Pictures of the desktop's panel for the documentation, drawn by PySide6 with placeholders for CTK's widgets.

QT_QPA_PLATFORM=offscreen python -m tests.slicer_extension.draw_panel docs/pictures
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

EXTENSION = Path(__file__).parents[2] / "slicer_extension" / "Samantic"
UI = EXTENSION / "Resources" / "UI"
WIDTH = 440

if str(EXTENSION) not in sys.path:
    sys.path.insert(0, str(EXTENSION))

import slicer.util  # noqa: E402
from PySide6 import QtGui, QtWidgets  # noqa: E402
from SamanticLib.session_state import SessionView  # noqa: E402
from tests.slicer_extension import qt_stand_ins  # noqa: E402
from tests.slicer_extension.desktop_samples import (  # noqa: E402
    FakeSession,
    NoSceneImages,
    NoTools,
    dermoscopy_view,
    volume_view,
)


def open_panel(session: Any, *, tools: Any = None, scene_images: Any = None, confirm: Any = lambda _: True) -> Any:
    """Return the panel of a session, shown on Qt's offscreen screen; only while the stand-in of `qt` is installed."""
    from SamanticLib.panel import SamanticPanel

    widget = slicer.util.loadUI(str(UI / "Samantic.ui"))
    ui = slicer.util.childWidgetVariables(widget)
    widget.resize(WIDTH, 1200)
    widget.show()
    panel = SamanticPanel(ui, session, tools or NoTools(), scene_images or NoSceneImages(), confirm)
    panel.widget = widget
    let_qt_work()
    return panel


def let_qt_work() -> None:
    """Let Qt lay out and draw what has changed."""
    for _ in range(3):
        QtWidgets.QApplication.processEvents()


def picture(view: SessionView) -> QtGui.QImage:
    """Return the whole panel of a session, its training section open only where there is a training."""
    session = FakeSession()
    panel = open_panel(session)
    panel.ui.trainingCollapsibleButton.collapsed = view.training is None
    session.show(view)
    panel.ui.pointPositiveButton.click()
    let_qt_work()
    panel.widget.resize(WIDTH, panel.widget.sizeHint.height())
    let_qt_work()
    # Bars and columns are as wide as the widgets are now.
    session.show(view)
    let_qt_work()
    image = panel.widget.inside.grab().toImage()
    panel.widget.close()
    return image


PICTURES = {"slicer_panel_volume.png": volume_view, "slicer_panel_dermoscopy.png": dermoscopy_view}


def main(folder: Path) -> None:
    """Draw all pictures into a folder."""
    with qt_stand_ins.installed():
        for name, view in PICTURES.items():
            image = picture(view()).convertToFormat(QtGui.QImage.Format.Format_RGB888)
            image.save(str(folder / name), quality=0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
