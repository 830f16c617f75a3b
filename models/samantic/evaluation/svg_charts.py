"""Small charts as inline SVG; colours are the page's, by class, so that they follow its light and dark theme.

Classes: `axis` and `grid` lines, `model` and `blind` shapes, `line` curves with `series-N`, `ideal` the diagonal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from samantic.evaluation.reliability import Reliability

WIDTH, HEIGHT = 360, 230
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 14, 38
PLOT_WIDTH, PLOT_HEIGHT = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM


@dataclass(frozen=True)
class Curve:
    """A named line through points (x, y)."""

    name: str
    points: tuple[tuple[float, float], ...]


def histogram(values: Sequence[float], blind: Sequence[float], label: str, bins: int = 20) -> str:
    """Draw how values in 0 to 1 are spread, as filled bars, and the image-blind ones, if any, as an outline."""
    edges = np.linspace(0, 1, bins + 1)
    shares = _shares(values, edges)
    outline = _shares(blind, edges) if len(blind) else None
    highest = max(float(shares.max()), 0.0 if outline is None else float(outline.max()))
    # Up to a multiple of 4 %, so that the four ticks are whole numbers.
    top = max(1, int(np.ceil(highest * 25))) / 25
    plot = _Plot((0, 1), (0, top))
    parts = [plot.frame("Dice", "share of structures", _ticks(0, 1, 5), _ticks(0, top, 4), percent_y=True)]
    for low, high, share in zip(edges[:-1], edges[1:], shares, strict=True):
        if share == 0:
            continue
        parts.append(
            plot.bar(
                low + 0.004, high - 0.004, share, "model", f"Dice {low:.2f} to {high:.2f}: {share:.1%} of structures"
            )
        )
    if outline is not None:
        steps = [(0.0, 0.0)]
        for low, high, share in zip(edges[:-1], edges[1:], outline, strict=True):
            steps += [(low, share), (high, share)]
        parts.append(plot.line([*steps, (1.0, 0.0)], "blind"))
    return _svg(label, parts)


def curves(lines: Sequence[Curve], label: str, x_title: str, y_title: str) -> str:
    """Draw lines over whole numbers from 1, with y in 0 to 1, each named at its end."""
    last = max(x for line in lines for x, _ in line.points)
    plot = _Plot((1, max(2.0, last)), (0, 1), right=64)
    ticks = [float(tick) for tick in range(1, int(last) + 1)]
    parts = [plot.frame(x_title, y_title, ticks, _ticks(0, 1, 4))]
    placed: list[float] = []
    for number, line in enumerate(lines):
        parts.append(plot.line(line.points, f"line series-{number}"))
        parts += [plot.dot(x, y, f"series-{number}", f"{line.name}, {x:g}: {y:.3f}") for x, y in line.points]
        x, y = plot.at(*line.points[-1])
        # Names of lines that end close together are moved apart.
        while any(abs(y - other) < 12 for other in placed):
            y += 3
        placed.append(y)
        parts.append(f'<text class="name" x="{x + 7:.1f}" y="{y + 4:.1f}">{escape(line.name)}</text>')
    return _svg(label, parts)


def reliability_diagram(measured: Reliability, label: str) -> str:
    """Draw how often answers were right over how sure they were; on the diagonal both are the same."""
    plot = _Plot((0, 1), (0, 1))
    parts = [
        plot.frame("confidence", "share that is right", _ticks(0, 1, 5), _ticks(0, 1, 4)),
        plot.line([(0, 0), (1, 1)], "ideal"),
    ]
    most = max(one.count for one in measured.bins)
    for one in measured.bins:
        told = f"{one.count} answers, confidence {one.confidence:.2f}, right {one.accuracy:.2f}"
        parts.append(plot.line([(one.confidence, one.confidence), (one.confidence, one.accuracy)], "gap"))
        parts.append(
            plot.dot(one.confidence, one.accuracy, "model", told, 2.5 + 5.5 * float(np.sqrt(one.count / most)))
        )
    return _svg(label, parts)


@dataclass(frozen=True)
class _Plot:
    """The mapping from values to the drawing's pixels."""

    x_range: tuple[float, float]
    y_range: tuple[float, float]
    right: int = 0

    def at(self, x: float, y: float) -> tuple[float, float]:
        across = (x - self.x_range[0]) / (self.x_range[1] - self.x_range[0])
        up = (y - self.y_range[0]) / (self.y_range[1] - self.y_range[0])
        return LEFT + across * (PLOT_WIDTH - self.right), TOP + (1 - up) * PLOT_HEIGHT

    def bar(self, low: float, high: float, value: float, kind: str, told: str) -> str:
        (x0, y0), (x1, y1) = self.at(low, value), self.at(high, self.y_range[0])
        shape = f'x="{x0:.1f}" y="{y0:.1f}" width="{x1 - x0:.1f}" height="{y1 - y0:.1f}"'
        return f'<rect class="{kind}" {shape}><title>{escape(told)}</title></rect>'

    def line(self, points: Sequence[tuple[float, float]], kind: str) -> str:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (self.at(*point) for point in points))
        return f'<polyline class="{kind}" fill="none" points="{path}"/>'

    def dot(self, x: float, y: float, kind: str, told: str, radius: float = 3.0) -> str:
        column, row = self.at(x, y)
        return (
            f'<circle class="dot {kind}" cx="{column:.1f}" cy="{row:.1f}" r="{radius:.1f}">'
            f"<title>{escape(told)}</title></circle>"
        )

    def frame(
        self, x_title: str, y_title: str, x_ticks: Sequence[float], y_ticks: Sequence[float], percent_y: bool = False
    ) -> str:
        parts = []
        right, bottom = self.at(self.x_range[1], 0)[0], TOP + PLOT_HEIGHT
        for tick in y_ticks:
            y = self.at(0, tick)[1]
            text = f"{tick:.0%}" if percent_y else f"{tick:g}"
            parts.append(f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{right:.1f}" y2="{y:.1f}"/>')
            parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{text}</text>')
        for tick in x_ticks:
            x = self.at(tick, 0)[0]
            parts.append(f'<text x="{x:.1f}" y="{bottom + 15}" text-anchor="middle">{tick:g}</text>')
        middle = (LEFT + right) / 2
        parts.append(f'<line class="axis" x1="{LEFT}" y1="{bottom}" x2="{right:.1f}" y2="{bottom}"/>')
        parts.append(f'<text x="{middle:.1f}" y="{bottom + 32}" text-anchor="middle">{escape(x_title)}</text>')
        centre = TOP + PLOT_HEIGHT / 2
        parts.append(
            f'<text transform="translate(10 {centre:.1f}) rotate(-90)" text-anchor="middle">{escape(y_title)}</text>'
        )
        return "".join(parts)


def _ticks(low: float, high: float, count: int) -> list[float]:
    return [round(float(tick), 4) for tick in np.linspace(low, high, count + 1)]


def _shares(values: Sequence[float], edges: np.ndarray) -> np.ndarray:
    counts, _ = np.histogram(np.asarray(values, dtype=np.float64), edges)
    return counts / max(1, len(values))


def _svg(label: str, parts: Sequence[str]) -> str:
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}"'
    return f'<svg {size} role="img" aria-label="{escape(label, quote=True)}">{"".join(parts)}</svg>'
