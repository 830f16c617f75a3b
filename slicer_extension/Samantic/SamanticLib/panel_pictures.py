"""Small pictures of the panel: swatches of colour, bars, the curve of a training; made with Qt, nothing is read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import qt

ICONS = Path(__file__).resolve().parent.parent / "Resources" / "Icons"

BAR_WIDTH, BAR_HEIGHT = 78, 12
SWATCH = 13
GOOD, MUTED = (26, 154, 91), (138, 144, 154)
MARGIN = 8


def icon(name: str) -> qt.QIcon:
    """Return the icon of a file `Resources/Icons/<name>.png`."""
    return qt.QIcon(str(ICONS / f"{name}.png"))


def swatch(rgb: Sequence[int]) -> qt.QIcon:
    """Return a small disc of a colour, 0 to 255."""
    pixmap, painter = _canvas(SWATCH, SWATCH)
    painter.setBrush(qt.QBrush(_color(rgb)))
    painter.setPen(qt.QPen(_color([channel * 3 // 5 for channel in rgb])))
    painter.drawEllipse(1, 1, SWATCH - 3, SWATCH - 3)
    painter.end()
    return qt.QIcon(pixmap)


def bar(share: float, rgb: Sequence[int]) -> qt.QIcon:
    """Return a bar that is filled by a share of 0 to 1."""
    pixmap, painter = _canvas(BAR_WIDTH, BAR_HEIGHT)
    painter.setPen(qt.QPen(_color((0, 0, 0), 0)))
    painter.setBrush(qt.QBrush(_color(MUTED, 60)))
    painter.drawRoundedRect(0, 2, BAR_WIDTH, BAR_HEIGHT - 4, 4, 4)
    painter.setBrush(qt.QBrush(_color(rgb)))
    painter.drawRoundedRect(0, 2, max(4, round(min(1.0, share) * BAR_WIDTH)), BAR_HEIGHT - 4, 4, 4)
    painter.end()
    return qt.QIcon(pixmap)


def curve(dice: Sequence[float], losses: Sequence[float], width: int, height: int) -> qt.QPixmap:
    """Return the Dice (green, from 0 to 1) and the loss (grey, from 0 to its largest) of the epochs, as lines."""
    pixmap, painter = _canvas(width, height)
    painter.setPen(qt.QPen(_color(MUTED, 110)))
    for share in (0.0, 0.5, 1.0):
        y = _y(share, height)
        painter.drawLine(MARGIN + 22, y, width - MARGIN, y)
        painter.setPen(qt.QPen(_color(MUTED)))
        painter.drawText(2, y + 4, f"{share:.1f}")
        painter.setPen(qt.QPen(_color(MUTED, 110)))
    largest = max(losses, default=0.0) or 1.0
    _line(painter, [loss / largest for loss in losses], MUTED, width, height)
    _line(painter, dice, GOOD, width, height)
    painter.end()
    return pixmap


def _line(painter: qt.QPainter, shares: Sequence[float], rgb: Sequence[int], width: int, height: int) -> None:
    pen = qt.QPen(_color(rgb))
    pen.setWidth(2)
    painter.setPen(pen)
    first, room = MARGIN + 26, width - 2 * MARGIN - 30
    places = [
        (first + round(room * number / max(1, len(shares) - 1)), _y(share, height))
        for number, share in enumerate(shares)
    ]
    for (x0, y0), (x1, y1) in zip(places[:-1], places[1:]):
        painter.drawLine(x0, y0, x1, y1)
    painter.setBrush(qt.QBrush(_color(rgb)))
    for x, y in places[-1:]:
        painter.drawEllipse(x - 3, y - 3, 6, 6)


def _y(share: float, height: int) -> int:
    return round(height - MARGIN - (height - 2 * MARGIN) * min(1.0, max(0.0, share)))


def _canvas(width: int, height: int) -> tuple[qt.QPixmap, qt.QPainter]:
    pixmap = qt.QPixmap(width, height)
    pixmap.fill(_color((0, 0, 0), 0))
    painter = qt.QPainter(pixmap)
    painter.setRenderHint(qt.QPainter.Antialiasing)
    return pixmap, painter


def _color(rgb: Sequence[int], alpha: int = 255) -> qt.QColor:
    red, green, blue = rgb
    return qt.QColor(int(red), int(green), int(blue), alpha)
