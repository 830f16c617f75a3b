"""Spine with its canal, ribs, sacrum, hip bones and femoral heads of the CT-like abdomen."""

from __future__ import annotations

import numpy as np

from samantic.datasets.phantoms.abdomen_body import HALF_DEPTH_MM, HALF_WIDTH_MM, along_z, spine_y
from samantic.datasets.phantoms.canvas import Canvas, Region
from samantic.datasets.phantoms.shapes import cylinder, ellipsoid, mirrored, smooth_cut, smooth_union, spline, tube

# Lower and upper end of every vertebra in mm; a disc lies at each lower end.
VERTEBRAE = (
    ("L5", 102, 137),
    ("L4", 137, 172),
    ("L3", 172, 207),
    ("L2", 207, 241),
    ("L1", 241, 274),
    ("T12", 274, 303),
    ("T11", 303, 330),
    ("T10", 330, 356),
)
# Name, height where the rib leaves the spine (mm), how far it reaches round the body (degrees from the back), descent.
RIBS = ((12, 292, 78, 30), (11, 320, 112, 52), (10, 345, 132, 80), (9, 370, 142, 104), (8, 395, 150, 116))


def paint_bones(canvas: Canvas, ripple: np.ndarray, grain: np.ndarray) -> None:
    """Lay down all bones and the nerve tissue in the spinal canal."""
    _paint_pelvis(canvas, ripple, grain)
    _paint_sacrum(canvas, ripple, grain)
    for name, lower, upper in VERTEBRAE:
        _paint_vertebra(canvas, name, lower, upper, ripple, grain)
    _paint_canal(canvas)
    for side, word in ((1, "right"), (-1, "left")):
        for number, height, reach, descent in RIBS:
            _paint_rib(canvas, f"rib_{word}_{number}", side, height, reach, descent, grain)


def _lay(
    canvas: Canvas, region: Region, distance: np.ndarray, name: str, grain: np.ndarray, rind_mm: float, marrow: float
) -> None:
    """Paint a bone: a dense rind around spongy marrow."""
    canvas.paint(region, distance, 640.0 + 60.0 * grain[region.slices], name)
    canvas.shade(region, distance + rind_mm, marrow + 34.0 * grain[region.slices])


def _paint_vertebra(
    canvas: Canvas, name: str, lower: float, upper: float, ripple: np.ndarray, grain: np.ndarray
) -> None:
    middle, height = (lower + upper) / 2, upper - lower
    y = float(spine_y(middle))
    size = 1.0 + 0.1 * (name == "L5") if name.startswith("L") else 0.86
    region = canvas.region((-62, y - 70, lower - 12), (62, y + 32, upper + 6))
    bend = spine_y(region.z)
    # The body is narrower at its waist than at its end plates.
    waist = 1.0 - 0.13 * np.cos(np.clip((region.z - middle) / (height / 2), -1, 1) * np.pi / 2)
    column = cylinder(region, (0.0, bend), (25.0 * size * waist, 17.5 * size * waist))
    column = smooth_cut(column, cylinder(region, (0.0, bend - 24 * size), (15, 9)), 4.0)
    disc = np.maximum(column + 1.0, np.abs(region.z - lower) - 5.0)
    canvas.shade(region, disc, 85.0)
    body = np.maximum(column, np.abs(region.z - middle - 3.0) - (height / 2 - 4.6))
    _lay(canvas, region, body + 0.5 * ripple[region.slices], f"vertebrae_{name}", grain, 2.0, 175.0)

    arch_y = y - 26.0 * size
    ring = np.abs(cylinder(region, (0.0, bend - 27.0 * size), (15.0, 12.5))) - 3.2
    arch = np.maximum(ring, np.maximum(np.abs(region.z - middle) - 0.28 * height, region.y - (y - 12.0)))
    spinous = tube(canvas, spline([(0, arch_y - 13, middle - 3), (0, arch_y - 33, middle - 12)], 16), 4.2)
    _lay(canvas, region, arch, f"vertebrae_{name}", grain, 2.2, 260.0)
    _lay(canvas, *spinous, f"vertebrae_{name}", grain, 2.2, 240.0)
    for side in (1, -1):
        reach = 44.0 if name.startswith("L") else 32.0
        process = spline(mirrored([(17, arch_y + 6, middle + 1), (reach, arch_y - 5, middle + 3)], side), 14)
        _lay(canvas, *tube(canvas, process, np.linspace(5.0, 3.4, 14)), f"vertebrae_{name}", grain, 2.2, 240.0)
        facet = spline(mirrored([(15, arch_y - 2, middle - 12), (17, arch_y - 4, middle + 12)], side), 10)
        _lay(canvas, *tube(canvas, facet, 5.6), f"vertebrae_{name}", grain, 2.4, 280.0)


def _paint_canal(canvas: Canvas) -> None:
    region = canvas.region((-25, -120, 60), (25, 0, 400))
    bend = spine_y(region.z) - along_z(((60, 18), (110, 24), (360, 24)), region.z)
    canal = np.maximum(cylinder(region, (0.0, bend), (10.5, 8.2)), 70.0 - region.z)
    canvas.paint(region, canal, -40.0 + 0 * canal)
    canvas.paint(region, canal + 1.8, 28.0, "spinal_cord")
    canvas.shade(region, np.maximum(cylinder(region, (0.0, bend), (5.0, 4.0)), 250.0 - region.z), 48.0)


def _paint_rib(
    canvas: Canvas, name: str, side: int, height: float, reach: float, descent: float, grain: np.ndarray
) -> None:
    angles = np.deg2rad(np.linspace(11, reach, 90))
    turn = angles / np.deg2rad(120)
    z = height + 6.0 * np.sin(angles) - descent * turn**1.25
    inset = 25.0
    x = side * (along_z(HALF_WIDTH_MM, z) - inset) * np.abs(np.sin(angles)) ** 0.80
    y = -(along_z(HALF_DEPTH_MM, z) - inset) * np.sign(np.cos(angles)) * np.abs(np.cos(angles)) ** 0.80
    # The neck reaches forwards to the vertebral body.
    neck = np.clip((np.deg2rad(24) - angles) / np.deg2rad(13), 0, 1)
    y = y * (1 - neck) + (spine_y(height) - 14.0) * neck
    x = x * (1 - neck) + side * 23.0 * neck
    centres = np.stack([x, y, z], axis=1)
    region, distance = tube(canvas, centres, np.linspace(5.4, 4.8, 90))
    if distance.size:
        _lay(canvas, region, distance, name, grain, 2.3, 190.0)
    if reach > 125:
        tip = centres[-1]
        path = spline([tip, tip * (0.62, 1.0, 1.0) + (0, 16, 16), (side * 14.0, 92.0, tip[2] + 52)], 40)
        region, distance = tube(canvas, path, 5.0)
        if distance.size:
            canvas.paint(region, distance, 135.0 + 20.0 * grain[region.slices], "costal_cartilages")


def _paint_sacrum(canvas: Canvas, ripple: np.ndarray, grain: np.ndarray) -> None:
    region = canvas.region((-75, -130, 2), (75, 0, 112))
    half_width = along_z(((0, 6), (25, 20), (60, 42), (90, 55), (105, 52)), region.z)
    thick = along_z(((0, 5), (40, 10), (75, 15), (105, 18)), region.z)
    bend = spine_y(region.z) + 4.0 - 0.0035 * region.x**2 * (region.z / 100.0)
    plate = cylinder(region, (0.0, bend), (half_width, thick))
    plate = np.maximum(plate, np.maximum(8.0 - region.z, region.z - 99.0 + np.abs(region.x) * 0.16))
    crest = np.maximum(cylinder(region, (0.0, bend - 18.0), (6.0, 9.0)), np.abs(region.z - 65.0) - 26.0)
    bone = smooth_union(plate, crest, 8.0) + 0.9 * ripple[region.slices]
    _lay(canvas, region, bone, "sacrum", grain, 2.2, 120.0)
    for side in (1, -1):
        for z in (38.0, 60.0, 82.0):
            y = float(spine_y(z))
            hole = spline([(side * (14 + 0.10 * z), y - 24, z - 6), (side * (13 + 0.10 * z), y + 26, z + 4)], 20)
            canvas.paint(*tube(canvas, hole, 4.2), 5.0)


def _paint_pelvis(canvas: Canvas, ripple: np.ndarray, grain: np.ndarray) -> None:
    for side, word in ((1, "right"), (-1, "left")):
        socket = np.array([side * 92.0, 6.0, 6.0])
        head = canvas.around(socket[None], 48.0)
        cup = np.abs(ellipsoid(head, socket, (30, 30, 30))) - 4.0
        cup = np.maximum(cup, side * (head.x - socket[0]) - 13.0)
        _lay(canvas, head, cup, f"hip_{word}", grain, 2.4, 230.0)

        crest = np.array(
            mirrored(
                [(44, -84, 108), (56, -66, 126), (82, -50, 140), (116, -14, 138), (124, 22, 116), (112, 48, 94)], side
            )
        )
        rim = spline(crest, 40)
        rows = []
        for share in np.linspace(0, 1, 26):
            narrowed = socket + (rim - socket) * (1 - share) ** 0.9 + np.array([0, 0, 22.0]) * share
            rows.append(narrowed + np.array([side * -9.0, 6.0, 0]) * np.sin(np.pi * share))
        sheet = np.concatenate(rows)
        at_rim = np.repeat(np.linspace(1, 0, 26) ** 3, 40)
        thick = 4.4 + 3.0 * at_rim + 4.0 * np.repeat(np.linspace(0, 1, 26) ** 2, 40)
        region, distance = tube(canvas, sheet, thick, margin_mm=5.0)
        _lay(canvas, region, distance + 0.4 * ripple[region.slices], f"hip_{word}", grain, 2.6, 200.0)
        for path, radius in (
            ([(80, 26, 14), (52, 52, 10), (16, 66, 0)], 8.5),
            ([(88, -18, 10), (84, -38, -6)], 15.0),
        ):
            branch = tube(canvas, spline(mirrored(path, side), 30), radius)
            _lay(canvas, *branch, f"hip_{word}", grain, 2.6, 200.0)

        gap = ellipsoid(head, socket, (26.5, 26.5, 26.5))
        canvas.paint(head, gap, 60.0)
        ball = ellipsoid(head, socket, (24, 24, 24))
        _lay(canvas, head, ball, f"femur_{word}", grain, 1.8, 290.0)
        shaft = tube(canvas, spline(mirrored([(104, 2, 2), (128, -4, -4), (140, -10, 4)], side), 20), 15.0)
        _lay(canvas, *shaft, f"femur_{word}", grain, 2.6, 170.0)
