"""Skin, fat, muscle layers, lung bases, heart and the table of the CT-like abdomen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from samantic.datasets.phantoms.canvas import Canvas, Region
from samantic.datasets.phantoms.shapes import cylinder, ellipsoid, mirrored, slab, spline, tube

HALF_WIDTH_MM = ((-10, 156), (40, 158), (90, 150), (150, 139), (220, 141), (290, 147), (360, 149))
HALF_DEPTH_MM = ((-10, 102), (60, 104), (130, 100), (220, 104), (290, 108), (360, 108))
SPINE_Y_MM = (
    (-10, -74),
    (20, -72),
    (50, -66),
    (80, -52),
    (105, -42),
    (150, -34),
    (190, -31),
    (240, -33),
    (290, -39),
    (360, -48),
)


def along_z(table: tuple[tuple[float, float], ...], z: np.ndarray | float) -> np.ndarray:
    """Return a quantity tabulated against height, interpolated."""
    heights, values = np.array(table, float).T
    return np.interp(z, heights, values).astype(np.float32)


def spine_y(z: np.ndarray | float) -> np.ndarray:
    """Return where the middle of the vertebral bodies lies (mm) at a height."""
    return along_z(SPINE_Y_MM, z)


@dataclass(frozen=True, eq=False)
class BodyWall:
    """Depth below the skin, and how thick the fat is there (mm, (I, J, K))."""

    depth: np.ndarray
    fat: np.ndarray

    @staticmethod
    def of(canvas: Canvas, rng: np.random.Generator) -> BodyWall:
        grid = canvas.everywhere()
        a, b = along_z(HALF_WIDTH_MM, grid.z), along_z(HALF_DEPTH_MM, grid.z)
        # Lying on the back flattens it: the exponent of the outline grows from belly to back.
        flat = np.where(grid.y < 0, 2.9, 2.15)
        scaled = (np.abs(grid.x / a) ** flat + np.abs(grid.y / b) ** flat) ** (1 / flat)
        depth = (1 - scaled) * np.minimum(a, b) * np.sqrt(np.maximum(scaled, 0.3))
        swell = canvas.texture(rng, 45.0)
        spine_groove = 7.0 * np.exp(-((grid.x / 14.0) ** 2)) * (grid.y < 0)
        depth = depth + 1.5 * swell - spine_groove
        aside = np.abs(grid.x / a)
        hips = np.clip((270.0 - grid.z) / 120.0, 0, 1)
        back = np.clip(-grid.y / 80.0, 0, 1)
        fat = 13.0 + 6.0 * aside * hips + 4.0 * back + 1.6 * canvas.texture(rng, 40.0)
        return BodyWall(depth.astype(np.float32), np.maximum(fat, 6.0).astype(np.float32))

    def inner(self, region: Region, beyond_mm: float = 0.0) -> np.ndarray:
        """Return the distance to the cavity inside the muscle wall, `beyond_mm` deeper still."""
        return self.fat[region.slices] + 11.0 + beyond_mm - self.depth[region.slices]


def paint_body(canvas: Canvas, wall: BodyWall, grain: np.ndarray) -> None:
    """Lay down the table, skin, fat with its strands and the layered muscles of the wall."""
    grid = canvas.everywhere()
    table = np.abs(grid.y + 124.0 - (grid.x / 30.0) ** 2 * 0.8) - 5.0
    canvas.shade(grid, np.maximum(table, np.abs(grid.x) - 170.0) + 0 * grid.z, -620.0)
    canvas.shade(grid, np.maximum(np.abs(table) - 1.0, np.abs(grid.x) - 170.0) + 0 * grid.z, 260.0)
    canvas.paint(grid, -wall.depth, -104.0 + 7.0 * grain)
    canvas.shade(grid, np.abs(wall.depth - 1.2) - 1.0, 25.0)
    layer = wall.depth - wall.fat
    muscle = np.maximum(-layer, layer - 11.0)
    # The three sheets of the flank are parted by thin fat; at the midline in front there is only a tendon.
    part = np.minimum(np.abs(layer - 4.0), np.abs(layer - 7.6)) - 0.3
    midline = np.where(grid.y > 0, 1.4 - np.abs(grid.x), -10.0)
    rectus_edge = np.where(grid.y > 40, 0.9 - np.abs(np.abs(grid.x) - 62.0), -10.0)
    canvas.shade(grid, np.maximum(muscle, np.maximum(midline, rectus_edge)), 56.0 + 9.0 * grain)
    flank = np.maximum(part, 55.0 - np.abs(grid.x))
    canvas.shade(grid, np.maximum(flank, muscle), -25.0)
    # Fascia strands in the fat under the skin.
    strands = np.maximum(np.abs(grain) * 5.0 - 0.35, np.maximum(3.0 - wall.depth, -(-layer - 1.0)))
    canvas.shade(grid, strands, -75.0)


def paint_chest(canvas: Canvas, wall: BodyWall, rng: np.random.Generator) -> None:
    """Fill the recesses above the diaphragm with lung and set the heart between them."""
    grid = canvas.everywhere()
    bronchi = canvas.texture(rng, 2.2)
    mediastinum = cylinder(grid, (-4.0, 18.0), (40.0, 88.0))
    for side, name, top in ((1, "lung_lower_lobe_right", 336.0), (-1, "lung_lower_lobe_left", 326.0)):
        distance = np.maximum(wall.inner(grid, 3.0), diaphragm(grid, side, top) - grid.z)
        distance = np.maximum(distance, np.maximum(-mediastinum, 4.0 - side * grid.x))
        vessels = 250.0 * np.clip(np.abs(bronchi) - 1.5, 0, 2) - 12 * grid.y / 10
        canvas.paint(grid, distance, np.minimum(-850.0 + vessels, -200.0), name)
    heart = canvas.region((-120, -60, 290), (80, 140, 400))
    distance = ellipsoid(heart, (-26, 46, 362), (62, 44, 36), 20)
    canvas.paint(heart, distance - 5.0, -95.0)
    canvas.paint(heart, distance, 120.0 + 0 * heart.x, "heart")
    canvas.shade(heart, ellipsoid(heart, (-40, 52, 366), (34, 24, 26), 20), 165.0)
    canvas.shade(heart, ellipsoid(heart, (8, 44, 366), (16, 22, 26)), 150.0)


def diaphragm(grid: Region, side: int, top_mm: float) -> np.ndarray:
    """Return the height (mm) of the dome on the patient's right (+1) or left (-1)."""
    steepness = ((side * grid.x - 66.0) / 76.0) ** 2 + ((grid.y + 2.0) / 82.0) ** 2
    return top_mm - 78.0 * steepness**1.6


def paint_muscles(canvas: Canvas, wall: BodyWall, ripple: np.ndarray, grain: np.ndarray) -> None:
    """Lay down the muscles beside the spine and around the hips."""
    grid = canvas.everywhere()
    height = grid.z
    for side, word in ((1, "right"), (-1, "left")):
        inside = wall.fat * 0.75 - wall.depth
        width = along_z(((0, 10), (60, 17), (110, 25), (200, 29), (360, 25)), height)
        thick = along_z(((0, 6), (60, 11), (110, 18), (200, 20), (360, 16)), height)
        erector = cylinder(grid, (side * (width + 5.0), spine_y(height) - 38.0), (width, thick)) + 1.2 * ripple
        erector = np.maximum(erector, np.maximum(inside, 8.0 - height))
        marbled = 58.0 + 8.0 * grain - 60.0 * np.clip(np.abs(ripple) - 1.6, 0, 1)
        canvas.paint(grid, erector, marbled, f"autochthon_{word}")

        quadratus = cylinder(grid, (side * along_z(((120, 78), (270, 58)), height), spine_y(height) - 24.0), (17, 10))
        canvas.shade(grid, np.maximum(quadratus, slab(grid, 128.0, 268.0)), 58.0 + 8.0 * grain)

        path = [
            (37, -34, 268),
            (43, -28, 220),
            (50, -24, 170),
            (58, -12, 120),
            (74, 10, 70),
            (92, 36, 25),
            (97, 40, -10),
        ]
        centres = spline(mirrored(path, side), 60)
        radii = np.interp(np.linspace(0, 1, 60), [0, 0.25, 0.5, 0.75, 1], [7, 15, 21, 20, 18])
        region, distance = tube(canvas, centres, radii)
        canvas.paint(region, distance + ripple[region.slices], 62.0 + 8.0 * grain[region.slices], f"iliopsoas_{word}")

        # Iliacus lines the inner face of the wing of the hip bone.
        sheet = spline(mirrored([(76, -34, 118), (98, -6, 108), (108, 20, 96)], side), 24)
        region, distance = tube(canvas, np.concatenate([sheet - (0, 0, 24.0 * n) for n in (0, 0.5, 1, 1.5)]), 12.0)
        canvas.paint(region, distance, 60.0 + 8.0 * grain[region.slices], f"iliopsoas_{word}")

        for name, centre, radii_mm, turn in (
            ("gluteus_medius", (116, -14, 78), (25, 50, 56), -24.0),
            ("gluteus_maximus", (72, -74, 34), (66, 25, 78), 18.0),
        ):
            box = canvas.around(np.array([(side * centre[0], centre[1], centre[2])]), 95.0)
            muscle = ellipsoid(box, (side * centre[0], centre[1], centre[2]), radii_mm, side * turn)
            fat = wall.fat[box.slices] - 1.0 - wall.depth[box.slices]
            fibres = 20.0 * np.clip(np.sin((box.y + side * box.x + 0.5 * box.z) / 3.2) - 0.75, 0, 1)
            shape = np.maximum(muscle + ripple[box.slices], np.maximum(fat, 14.0 - side * box.x))
            canvas.paint(box, shape, 58.0 + 8.0 * grain[box.slices] - 4.0 * fibres, f"{name}_{word}")
