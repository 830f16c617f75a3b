"""Draw the PNG of every SVG in this folder: 64 pixels for buttons, 128 for the module. For developers: needs PySide6.

python slicer_extension/Samantic/Resources/Icons/render_icons.py
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

FOLDER = Path(__file__).parent
MODULE_ICON = "Samantic"


def render(svg: Path) -> QImage:
    """Return the picture of an icon with a transparent ground; raises ValueError when it is not a drawing."""
    renderer = QSvgRenderer(QByteArray(svg.read_bytes()))
    if not renderer.isValid():
        raise ValueError(f"{svg.name} is not an SVG that Qt can draw.")
    size = 128 if svg.stem == MODULE_ICON else 64
    image = QImage(size, size, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    renderer.render(painter, QRectF(0, 0, size, size))
    painter.end()
    return image


if __name__ == "__main__":
    for svg in sorted(FOLDER.glob("*.svg")):
        render(svg).save(str(svg.with_suffix(".png")))
