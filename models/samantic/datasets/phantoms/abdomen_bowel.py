"""Stomach, duodenum, small bowel and colon of the CT-like abdomen, with wall, content, gas and fluid levels."""

from __future__ import annotations

import numpy as np

from samantic.datasets.phantoms.abdomen_body import BodyWall
from samantic.datasets.phantoms.canvas import Canvas, Region
from samantic.datasets.phantoms.shapes import spline, tube

GAS = -960.0


def paint_bowel(
    canvas: Canvas, wall: BodyWall, ripple: np.ndarray, grain: np.ndarray, rng: np.random.Generator
) -> None:
    """Lay down the gut from the oesophagus to the rectum."""
    _paint_small_bowel(canvas, wall, ripple, grain, rng)
    _paint_colon(canvas, wall, ripple, grain, rng)
    gullet = spline([(-4, -16, 360), (-10, -10, 342), (-20, 2, 326)], 40)
    region, distance = tube(canvas, gullet, 8.0)
    canvas.paint(region, distance, 62.0, "esophagus")
    canvas.shade(region, distance + 5.5, -300.0)
    _paint_stomach(canvas, wall, ripple, grain)
    sweep = [(28, 50, 248), (42, 34, 244), (46, 16, 226), (44, 8, 200), (30, 10, 184), (0, 16, 182), (-22, 24, 200)]
    region, distance = tube(canvas, spline(sweep, 90), 10.5 + 1.2 * np.sin(np.linspace(0, 40, 90)))
    canvas.paint(region, distance + 0.8 * ripple[region.slices], 82.0, "duodenum")
    canvas.shade(region, distance + 3.2, 34.0 + 9 * grain[region.slices])


def _paint_stomach(canvas: Canvas, wall: BodyWall, ripple: np.ndarray, grain: np.ndarray) -> None:
    path = [(-30, 4, 322), (-56, 14, 308), (-64, 38, 280), (-50, 58, 250), (-12, 66, 232), (16, 58, 240), (28, 50, 248)]
    centres = spline(path, 110)
    radii = np.interp(np.linspace(0, 1, 110), [0, 0.14, 0.32, 0.55, 0.78, 0.92, 1], [15, 29, 33, 29, 21, 15, 9])
    region, distance = tube(canvas, centres, radii)
    distance = np.maximum(distance + 2.0 * ripple[region.slices], wall.inner(region, 2.0))
    # Folds of the lining reach into the content.
    folds = 1.3 * np.sin((region.x + region.z) / 4.2) * np.sin((region.y - region.z) / 5.0)
    canvas.paint(region, distance, 88.0 + 6 * grain[region.slices], "stomach")
    lumen = distance + 5.0 + folds
    canvas.shade(region, lumen, 26.0 + 16.0 * grain[region.slices] * (region.y < 30))
    canvas.shade(region, np.maximum(lumen, 62.0 - region.y), GAS)


def _paint_small_bowel(
    canvas: Canvas, wall: BodyWall, ripple: np.ndarray, grain: np.ndarray, rng: np.random.Generator
) -> None:
    stations = []
    for row, z in enumerate((176, 154, 130, 108, 86)):
        direction = 1 if row % 2 else -1
        reach = 70 if z > 120 else 58
        for step, share in enumerate(np.linspace(-1, 1, 9)):
            y = 44 + (25 if step % 2 else -17) + rng.normal(0, 4)
            stations.append(
                (direction * share * reach + rng.normal(0, 3), y, z + 10 * np.sin(2.3 * step) + rng.normal(0, 3))
            )
    count = 640
    centres = spline(stations, count)
    squeeze = np.sin(np.linspace(0, 60, count)) + 0.6 * np.sin(np.linspace(0, 171, count) + 1)
    region, distance = tube(canvas, centres, 11.2 + 1.9 * squeeze, margin_mm=6.0)
    distance = np.maximum(distance + 0.8 * ripple[region.slices], wall.inner(region, 2.0))
    canvas.paint(region, distance, 92.0 + 6 * grain[region.slices], "small_bowel")
    feathery = 0.9 * np.abs(np.sin((region.x * 0.8 + region.z) / 1.9))
    canvas.shade(region, distance + 3.0 + feathery, 28.0 + 12.0 * grain[region.slices])
    for start in rng.choice(count - 30, 9, replace=False):
        piece = centres[start : start + 24]
        part, inside = tube(canvas, piece, 7.0)
        _shade_gas(canvas, part, np.maximum(inside, wall.inner(part, 5.0)), float(piece[:, 1].mean()) + 3.0)


def _paint_colon(
    canvas: Canvas, wall: BodyWall, ripple: np.ndarray, grain: np.ndarray, rng: np.random.Generator
) -> None:
    path = [
        (72, 22, 72), (86, 16, 90), (97, 4, 130), (99, -6, 176), (92, 10, 206), (66, 52, 204), (24, 68, 186),
        (-24, 72, 192), (-66, 52, 214), (-96, 14, 240), (-106, -18, 236), (-106, -18, 190), (-102, -8, 140),
        (-84, 20, 98), (-52, 38, 72), (-24, 14, 84), (-4, -14, 84), (6, -28, 62), (0, -36, 36), (0, -38, 12),
        (0, -46, -10),
    ]  # fmt: skip
    count = 420
    centres = spline(path, count)
    along = np.linspace(0, 1, count)
    calibre = np.interp(along, [0, 0.1, 0.3, 0.5, 0.62, 0.75, 0.86, 1.0], [27, 26, 21, 22, 17, 14, 16, 21])
    haustra = np.abs(np.sin(np.arange(count) * np.pi / 11.0)) ** 0.6
    radii = calibre * (0.78 + 0.26 * haustra)
    region, distance = tube(canvas, centres, radii)
    distance = np.maximum(distance + 1.0 * ripple[region.slices], wall.inner(region, 2.0))
    canvas.paint(region, distance, 74.0 + 6 * grain[region.slices], "colon")
    bubbles = np.clip(canvas.texture(rng, 2.0)[region.slices] - 0.9, 0, 1.2)
    stool = np.maximum(38.0 + 26.0 * grain[region.slices] - 420.0 * bubbles, -700.0)
    canvas.shade(region, distance + 3.4, stool)
    for first, last, lift in ((0.10, 0.14, 6), (0.30, 0.44, 2), (0.47, 0.56, 4), (0.93, 0.97, 5)):
        piece = slice(int(first * count), int(last * count))
        part, inside = tube(canvas, centres[piece], radii[piece] - 3.8)
        level_y = float(centres[piece][:, 1].mean()) + lift
        _shade_gas(canvas, part, np.maximum(inside, wall.inner(part, 6.0)), level_y)


def _shade_gas(canvas: Canvas, region: Region, distance: np.ndarray, level_y: float) -> None:
    """Fill the upper part of a lumen with gas: what is light rises to the belly of a person lying on the back."""
    canvas.shade(region, np.maximum(distance, level_y - region.y), GAS)
