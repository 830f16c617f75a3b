"""Which key does what. Letters that Slicer's slice views use (b f g h r t v and the brackets) are left alone."""

from __future__ import annotations

from collections.abc import Mapping

KEYS: Mapping[str, str] = {
    "pointPositiveButton": "A",
    "pointNegativeButton": "D",
    "boxButton": "X",
    "scribblePositiveButton": "S",
    "scribbleNegativeButton": "Shift+S",
    "lassoButton": "L",
    "classSearchBox": "/",
    "textLineEdit": "W",
    "liveUpdateCheckBox": "Shift+U",
    "segmentButton": "U",
    "outlineLesionButton": "O",
    "uncertaintyCheckBox": "Shift+O",
    "propagateBothButton": "P",
    "propagateDownButton": "Shift+D",
    "propagateUpButton": "Shift+A",
    "cancelButton": "Ctrl+.",
    "undoButton": "Z",
    "redoButton": "Y",
    "acceptButton": "E",
    "submitButton": "Ctrl+Return",
    "nextSampleButton": "N",
}
"""Key by widget of the panel: a button is pressed, a line gets the cursor."""
