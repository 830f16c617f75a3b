"""Aorta, caval vein, iliac vessels and the twigs in the mesentery of the CT-like abdomen."""

from __future__ import annotations

import numpy as np

from samantic.datasets.phantoms.canvas import Canvas
from samantic.datasets.phantoms.shapes import mirrored, spline, tube

# Arteries that leave the aorta forwards: the coeliac trunk and the upper mesenteric artery.
BRANCHES: tuple[list[tuple[float, float, float]], ...] = (
    [(-10, 4, 262), (-8, 22, 258)],
    [(-10, 6, 250), (-8, 26, 236), (-4, 34, 205)],
)


def paint_vessels(canvas: Canvas, rng: np.random.Generator) -> None:
    """Lay down the great vessels behind the bowel; the splenic and portal veins come with the organs."""
    _paint_mesentery(canvas, rng)
    cava = spline([(16, -4, 140), (20, -2, 200), (22, 0, 255), (27, 4, 300), (24, 8, 338), (18, 14, 360)], 90)
    widths = np.interp(np.linspace(0, 1, 90), [0, 0.3, 0.6, 1], [9.5, 10.5, 12.0, 13.0])
    _flattened(canvas, cava, widths, 128.0, "inferior_vena_cava")
    for side, word in ((1, "right"), (-1, "left")):
        vein = [(15 if side > 0 else -14, -5, 140), (34, -20, 112), (50, -22, 80), (64, 10, 42), (72, 44, -4)]
        points = [vein[0], *mirrored(vein[1:], side)]
        canvas.paint(*tube(canvas, spline(points, 70), 6.6), 122.0, f"iliac_vena_{word}")
        artery = [(-7, 2, 150), *mirrored([(26, -8, 120), (44, -8, 86), (60, 24, 44), (66, 54, -4)], side)]
        canvas.paint(*tube(canvas, spline(artery, 70), 5.2), 152.0, f"iliac_artery_{word}")
    # Veins that cross to the right of the midline end in the cava.
    canvas.paint(
        *tube(canvas, spline([(-14, -5, 140), (0, -8, 141), (15, -5, 142)], 12), 7.0), 122.0, "iliac_vena_left"
    )
    aorta = spline([(-7, 2, 150), (-9, 3, 190), (-10, 0, 235), (-11, -6, 275), (-15, -14, 320), (-19, -20, 360)], 100)
    region, distance = tube(canvas, aorta, np.linspace(8.6, 11.8, 100))
    canvas.paint(region, distance, 158.0, "aorta")
    for branch in BRANCHES:
        canvas.paint(*tube(canvas, spline(branch, 20), 3.4), 155.0)
    for side in (1, -1):
        renal = [(20 if side > 0 else -10, 2, 238), *mirrored([(30, -12, 236), (46, -24, 232)], side)]
        canvas.paint(*tube(canvas, spline(renal, 24), 4.4), 135.0)
    # A few plaques in the wall of an elderly aorta.
    for share, angle in ((0.18, 2.0), (0.42, 0.4), (0.5, 3.5)):
        middle = aorta[int(share * 99)] + 9.4 * np.array([np.cos(angle), np.sin(angle), 0])
        region, distance = tube(canvas, np.stack([middle, middle + np.array([0, 1.0, 5.0])]), 1.9)
        canvas.shade(region, distance, 520.0)


def _flattened(canvas: Canvas, centres: np.ndarray, widths: np.ndarray, value: float, name: str) -> None:
    """Paint a vein wider than deep, as one is in a person lying down: two tubes side by side."""
    apart = np.array([4.0, 0.0, 0.0])
    both = np.concatenate([centres - apart, centres + apart])
    region, distance = tube(canvas, both, np.concatenate([widths, widths]) - 2.6)
    canvas.paint(region, distance, value, name)


def _paint_mesentery(canvas: Canvas, rng: np.random.Generator) -> None:
    root = np.array([0.0, 20.0, 200.0])
    for _ in range(46):
        tip = np.array([rng.uniform(-85, 85), rng.uniform(10, 70), rng.uniform(70, 200)])
        bend = (root + tip) / 2 + rng.normal(0, 9, 3)
        region, distance = tube(canvas, spline([root, bend, tip], 50), np.linspace(2.4, 1.2, 50), margin_mm=3.0)
        canvas.paint(region, distance, 120.0)
