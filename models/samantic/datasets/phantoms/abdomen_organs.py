"""Solid organs, gallbladder, bladder and the portal system of the CT-like abdomen."""

from __future__ import annotations

import numpy as np

from samantic.datasets.phantoms.abdomen_body import BodyWall, diaphragm
from samantic.datasets.phantoms.canvas import Canvas
from samantic.datasets.phantoms.shapes import ellipsoid, mirrored, smooth_cut, smooth_union, spline, tube

KIDNEYS = (("kidney_right", 1, (66.0, -40.0, 226.0)), ("kidney_left", -1, (66.0, -38.0, 240.0)))


def paint_organs(
    canvas: Canvas, wall: BodyWall, ripple: np.ndarray, grain: np.ndarray, rng: np.random.Generator
) -> None:
    """Lay down liver, spleen, kidneys, adrenals, pancreas, portal vein, gallbladder, bladder and prostate."""
    fine = canvas.texture(rng, 1.6)
    _paint_liver(canvas, wall, ripple, grain, rng)
    _paint_spleen(canvas, wall, ripple, grain)
    for name, side, centre in KIDNEYS:
        _paint_kidney(canvas, name, side, centre, ripple, fine)
    for side, word, z in ((1, "right", 284), (-1, "left", 290)):
        for points in (
            [(34, -20, z), (44, -34, z - 12)],
            [(34, -20, z), (33, -38, z - 14)],
            [(33, -16, z + 6), (34, -22, z - 4)],
        ):
            limb = tube(canvas, spline(mirrored(points, side), 18), 2.9)
            canvas.paint(*limb, 92.0, f"adrenal_gland_{word}")
    _paint_pancreas(canvas, ripple, fine)
    _paint_pelvic_organs(canvas, ripple)


def _paint_liver(
    canvas: Canvas, wall: BodyWall, ripple: np.ndarray, grain: np.ndarray, rng: np.random.Generator
) -> None:
    region = canvas.region((-80, -110, 170), (160, 120, 360))
    right = ellipsoid(region, (74, -2, 266), (72, 82, 76))
    left = ellipsoid(region, (2, 48, 296), (70, 34, 32), -14)
    liver = smooth_union(right, left, 34.0)
    # The visceral face: hollows for the kidney, the gallbladder, the stomach and the hilum.
    for centre, radii in (
        ((60, -46, 214), (36, 40, 52)),
        ((26, 26, 222), (38, 44, 50)),
        ((-42, 14, 268), (44, 44, 56)),
        ((2, -30, 275), (36, 34, 120)),
    ):
        liver = smooth_cut(liver, ellipsoid(region, centre, radii), 14.0)
    # Under the heart the diaphragm is flat; further right it is the dome of the lung.
    share = np.clip((region.x - 6.0) / 44.0, 0, 1)
    ceiling = share * diaphragm(region, 1, 336.0) + (1 - share) * 326.0
    roof = np.maximum(region.z - ceiling + 3.0, wall.inner(region, 1.5))
    liver = np.maximum(liver + 2.2 * ripple[region.slices], roof)
    fissure = np.abs(region.x - 14.0 - 0.12 * (region.y - 40)) - 2.2
    liver = smooth_cut(liver, np.maximum(fissure, np.maximum(30.0 - region.y, region.z - 285.0)), 4.0)
    canvas.paint(region, liver, 112.0 + 4.0 * grain[region.slices], "liver")

    everywhere = np.full(canvas.shape, 50.0, np.float32)
    everywhere[region.slices] = liver
    _branch(canvas, np.array([40.0, 18, 264]), np.array([66.0, 8, 272]), 6.5, 4, rng, everywhere)
    for tip in ((96, -12, 300), (64, 34, 306), (22, 40, 312)):
        path = spline([(26, 4, 330), (0.5 * (26 + tip[0]), 0.5 * (4 + tip[1]) + 5, 318), tip], 50)
        vein, distance = tube(canvas, path, np.linspace(5.0, 2.4, 50))
        canvas.shade(vein, distance, 140.0)
    for centre, radius, value in (
        ((112, -18, 262), 9.0, 8.0),
        ((84, 40, 288), 5.5, 10.0),
        ((92, -40, 290), 12.0, 72.0),
    ):
        spot = canvas.around(np.array([centre]), radius + 6)
        canvas.shade(
            spot, ellipsoid(spot, centre, (radius, radius * 0.9, radius * 1.1)) + 0.8 * ripple[spot.slices], value
        )


def _branch(
    canvas: Canvas,
    start: np.ndarray,
    end: np.ndarray,
    radius: float,
    generations: int,
    rng: np.random.Generator,
    liver: np.ndarray,
) -> None:
    """Shade a portal vein and its forks, where they run inside the liver."""
    bend = (start + end) / 2 + rng.normal(0, 3, 3)
    region, distance = tube(canvas, spline([start, bend, end], 30), np.linspace(radius, radius * 0.75, 30), 4.0)
    canvas.shade(region, np.maximum(distance, liver[region.slices] + 2.0), 148.0)
    if generations == 0:
        return
    heading = (end - start) / np.linalg.norm(end - start)
    for _ in range(2 if generations < 4 else 4):
        turned = heading + rng.normal(0, 0.75, 3)
        tip = end + turned / np.linalg.norm(turned) * (15.0 + 5.0 * generations)
        _branch(canvas, end, tip, radius * 0.72, generations - 1, rng, liver)


def _paint_spleen(canvas: Canvas, wall: BodyWall, ripple: np.ndarray, grain: np.ndarray) -> None:
    region = canvas.region((-160, -110, 220), (-40, 60, 345))
    body = ellipsoid(region, (-104, -28, 280), (38, 62, 52), 22)
    hollow = ellipsoid(region, (-50, 12, 280), (34, 44, 62), 22)
    spleen = smooth_cut(body, hollow, 12.0) + 2.0 * ripple[region.slices]
    roof = np.maximum(wall.inner(region, 2.0), region.z - diaphragm(region, -1, 326.0) + 2.0)
    canvas.paint(region, np.maximum(spleen, roof), 122.0 + 4.0 * grain[region.slices], "spleen")


def _paint_kidney(
    canvas: Canvas, name: str, side: int, centre: tuple[float, float, float], ripple: np.ndarray, fine: np.ndarray
) -> None:
    x0, y0, z0 = side * centre[0], centre[1], centre[2]
    region = canvas.around(np.array([(x0, y0, z0)]), 78.0)
    # The lower pole lies further out and further forward than the upper one.
    lean = (region.z - z0) / 52.0
    x, y = region.x - x0 + side * 7.0 * lean, region.y - y0 + 5.0 * lean
    scaled = np.sqrt((x / 27.0) ** 2 + (y / 25.0) ** 2 + (lean * 52.0 / 54.0) ** 2)
    kidney = (scaled - 1.0) * 25.5
    hilum = ellipsoid(region, (x0 - side * 27.0, y0 + 8.0, z0), (21.0, 12.0, 23.0), side * -20.0)
    parenchyma = smooth_cut(kidney + 1.2 * ripple[region.slices], hilum, 7.0)
    canvas.paint(region, parenchyma - 9.0, -100.0)
    canvas.paint(region, parenchyma, 188.0 + 9.0 * fine[region.slices], name)
    angle = np.arctan2(y, side * x)
    wedges = np.cos(5.0 * angle) + np.cos((region.z - z0) / 4.2)
    pyramids = np.maximum(parenchyma + 7.0, 0.35 - wedges)
    canvas.shade(region, np.maximum(pyramids, 12.0 - scaled * 25.0), 138.0)
    sinus = np.maximum(kidney + 8.0, hilum - 3.0)
    canvas.shade(region, np.maximum(sinus, -parenchyma + 0.5), -70.0)
    pelvis = ellipsoid(region, (x0 - side * 16.0, y0 + 6.0, z0 - 2.0), (13.0, 5.0, 9.0), side * -20.0)
    canvas.shade(region, pelvis, 12.0)
    vein = spline([(x0 - side * 10, y0 + 6, z0 + 3), (x0 - side * 26, y0 + 14, z0 + 4), (side * 24, 0, z0 + 6)], 24)
    part, distance = tube(canvas, vein, 4.6)
    canvas.shade(part, distance, 140.0)
    if side > 0:
        cyst = canvas.around(np.array([(x0 + 21, y0 - 8, z0 - 26)]), 20.0)
        shape = ellipsoid(cyst, (x0 + 21, y0 - 8, z0 - 26), (11, 11, 11))
        canvas.paint(cyst, shape, 6.0, "kidney_cyst_right")


def _paint_pancreas(canvas: Canvas, ripple: np.ndarray, fine: np.ndarray) -> None:
    axis = spline([(28, 18, 214), (28, 24, 230), (8, 34, 240), (-22, 28, 250), (-52, 8, 260), (-76, -10, 268)], 80)
    radii = np.interp(np.linspace(0, 1, 80), [0, 0.16, 0.34, 0.6, 1], [13, 15, 9.5, 11, 9])
    region, distance = tube(canvas, axis, radii)
    lobules = distance + 1.6 * ripple[region.slices] + 1.1 * fine[region.slices]
    canvas.paint(region, lobules, 94.0 + 12.0 * fine[region.slices], "pancreas")
    duct, distance = tube(canvas, axis[10:], 1.3)
    canvas.shade(duct, distance, 30.0)
    portal = [(-84, -16, 274), (-54, 0, 258), (-22, 18, 248), (8, 22, 240), (24, 22, 248), (34, 20, 262), (46, 16, 268)]
    canvas.paint(*tube(canvas, spline(portal, 90), np.linspace(4.4, 7.4, 90)), 160.0, "portal_vein_and_splenic_vein")
    superior = spline([(8, 20, 240), (6, 28, 215), (4, 32, 190)], 30)
    canvas.paint(*tube(canvas, superior, 5.4), 156.0, "portal_vein_and_splenic_vein")


def _paint_pelvic_organs(canvas: Canvas, ripple: np.ndarray) -> None:
    region = canvas.region((20, 0, 190), (100, 120, 280))
    bag = smooth_union(
        ellipsoid(region, (58, 56, 222), (16, 19, 21)), ellipsoid(region, (46, 42, 242), (7, 9, 14)), 9.0
    )
    canvas.paint(region, bag + 0.7 * ripple[region.slices], 70.0, "gallbladder")
    canvas.shade(region, bag + 2.2, 9.0)
    stone = ellipsoid(region, (57, 43, 214), (4.2, 3.6, 4.0))
    canvas.shade(region, stone, 210.0)

    region = canvas.region((-70, -60, -10), (70, 110, 90))
    bladder = ellipsoid(region, (1, 28, 36), (44, 31, 29))
    bladder = smooth_cut(bladder, ellipsoid(region, (0, 70, 66), (40, 26, 24)), 12.0) + 1.2 * ripple[region.slices]
    canvas.paint(region, bladder - 4.0, -98.0)
    canvas.paint(region, bladder, 48.0, "urinary_bladder")
    canvas.shade(region, bladder + 4.0, 5.0)
    canvas.paint(region, ellipsoid(region, (0, 14, 4), (23, 17, 15)) + ripple[region.slices], 66.0, "prostate")
    for side in (1, -1):
        vesicle = tube(canvas, spline(mirrored([(5, -9, 17), (24, -10, 25)], side), 16), 5.0)
        canvas.paint(*vesicle, 52.0)
