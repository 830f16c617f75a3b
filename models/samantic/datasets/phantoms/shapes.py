"""Implicit shapes: functions that are negative inside a body and grow about a millimetre per millimetre outside it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.interpolate import CubicSpline

from samantic.datasets.phantoms.canvas import Canvas, Region

Triple = Sequence[float] | np.ndarray


def ellipsoid(region: Region, centre: Triple, radii: Triple, turn_deg: float = 0.0) -> np.ndarray:
    """Return the approximate signed distance in mm to an ellipsoid, turned by `turn_deg` about the body's long axis."""
    dx, dy, dz = region.x - centre[0], region.y - centre[1], region.z - centre[2]
    if turn_deg:
        cosine, sine = np.cos(np.deg2rad(turn_deg)), np.sin(np.deg2rad(turn_deg))
        dx, dy = cosine * dx + sine * dy, cosine * dy - sine * dx
    a, b, c = radii
    scaled = np.sqrt((dx / a) ** 2 + (dy / b) ** 2 + (dz / c) ** 2)
    gradient = np.sqrt((dx / a**2) ** 2 + (dy / b**2) ** 2 + (dz / c**2) ** 2)
    return (scaled * (scaled - 1.0) / np.maximum(gradient, 1e-6)).astype(np.float32)


def cylinder(region: Region, centre_xy: tuple[np.ndarray | float, np.ndarray | float], radii: Sequence) -> np.ndarray:
    """Return the in-plane distance to an elliptic column; centre and radii may vary with z (arrays (1, 1, K))."""
    dx, dy = region.x - centre_xy[0], region.y - centre_xy[1]
    scaled = np.sqrt((dx / radii[0]) ** 2 + (dy / radii[1]) ** 2)
    gradient = np.sqrt((dx / np.square(radii[0])) ** 2 + (dy / np.square(radii[1])) ** 2)
    return (scaled * (scaled - 1.0) / np.maximum(gradient, 1e-6)).astype(np.float32)


def slab(region: Region, lower_z: float, upper_z: float) -> np.ndarray:
    """Return the distance to the layer between two heights."""
    return np.maximum(lower_z - region.z, region.z - upper_z)


def spline(points: Sequence[Triple] | np.ndarray, count: int) -> np.ndarray:
    """Return `count` points (count, 3) on the smooth curve through `points`, evenly spread along its length."""
    knots = np.asarray(points, float)
    if len(knots) == 2:
        return np.linspace(knots[0], knots[1], count)
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(knots, axis=0), axis=1))])
    curve = CubicSpline(lengths, knots)
    fine = curve(np.linspace(0, lengths[-1], 8 * count))
    walked = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(fine, axis=0), axis=1))])
    wanted = np.linspace(0, walked[-1], count)
    return np.stack([np.interp(wanted, walked, fine[:, axis]) for axis in range(3)], axis=1)


def tube(
    canvas: Canvas, centres: np.ndarray, radii: np.ndarray | float, margin_mm: float = 8.0
) -> tuple[Region, np.ndarray]:
    """Return a region and in it the distance to the union of balls along a curve.

    `centres` is (N, 3) in mm and dense against the radii; `radii` one number or (N,). Distances beyond `margin_mm` are
    all set to `margin_mm`, so shapes are cheap however long the curve is.
    """
    radii = np.broadcast_to(np.asarray(radii, float), (len(centres),))
    region = canvas.around(centres, float(radii.max()) + margin_mm)
    distance = np.full([s.stop - s.start for s in region.slices], margin_mm, np.float32)
    if distance.size == 0:
        return region, distance
    offsets = [s.start for s in region.slices]
    for centre, radius in zip(centres, radii, strict=True):
        ball = canvas.around(centre, radius + margin_mm)
        local = tuple(slice(s.start - o, s.stop - o) for s, o in zip(ball.slices, offsets, strict=True))
        away = np.sqrt((ball.x - centre[0]) ** 2 + (ball.y - centre[1]) ** 2 + (ball.z - centre[2]) ** 2)
        np.minimum(distance[local], away - radius, out=distance[local])
    return region, distance


def smooth_union(a: np.ndarray, b: np.ndarray, blend_mm: float) -> np.ndarray:
    """Return the union of two shapes with the crease between them filled over `blend_mm`."""
    overlap = np.maximum(blend_mm - np.abs(a - b), 0.0) / blend_mm
    return np.minimum(a, b) - overlap * overlap * blend_mm * 0.25


def smooth_cut(a: np.ndarray, b: np.ndarray, blend_mm: float) -> np.ndarray:
    """Return shape `a` without shape `b`, the new edge rounded over `blend_mm`."""
    return -smooth_union(-a, b, blend_mm)


def mirrored(points: Sequence[Triple], side: int) -> list[tuple[float, float, float]]:
    """Return points given for the patient's right (+x) on the side asked for: +1 right, -1 left."""
    return [(side * x, y, z) for x, y, z in points]
