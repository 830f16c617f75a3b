"""An MR-like head, T1 weighted: folded cortex, ventricles, deep nuclei, hippocampi, cerebellum, skull and scalp."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from samantic.datasets.phantoms.canvas import Canvas, Region
from samantic.datasets.phantoms.phantom import Phantom
from samantic.datasets.phantoms.shapes import (
    cylinder,
    ellipsoid,
    mirrored,
    smooth_cut,
    smooth_union,
    spline,
    tube,
)

SHAPE = (112, 132, 116)
SPACING_MM = 1.6

AIR, BONE, CSF, GREY, WHITE, MUSCLE, FAT = 12.0, 42.0, 62.0, 212.0, 345.0, 190.0, 440.0


def make_head(seed: int = 30) -> Phantom:
    """Return the head: int16 (112, 132, 116) at 1.6 mm, axes in RAS order; classes brain, hippocampi, cord."""
    rng = np.random.default_rng(seed)
    half = [(n - 1) / 2 * SPACING_MM for n in SHAPE]
    affine = np.diag([SPACING_MM, SPACING_MM, SPACING_MM, 1.0])
    affine[:3, 3] = (-half[0], -half[1], -half[2] - 12.0)
    canvas = Canvas(SHAPE, affine, softness_mm=1.9)
    canvas.image[:] = AIR
    grid = canvas.everywhere()
    ripple = canvas.texture(rng, 16.0)
    grain = canvas.texture(rng, 2.0)
    folds = _folds(canvas, rng)

    brain = _brain_shape(grid) + 1.2 * ripple
    _paint_face_and_scalp(canvas, grid, brain, ripple, grain)
    _paint_cerebrum(canvas, grid, brain, folds, ripple)
    _paint_deep_structures(canvas, grid, ripple)
    _paint_hindbrain(canvas, grid, rng)
    _paint_hippocampi(canvas, grain)
    return Phantom("mr_head", "MR", _scanned(canvas, rng), affine, canvas.truth, dict(canvas.names))


def _folds(canvas: Canvas, rng: np.random.Generator) -> np.ndarray:
    """Return the distance (mm) to winding sheets: where a smooth random field crosses zero a sulcus runs."""
    field = canvas.texture(rng, 4.6) + 0.45 * canvas.texture(rng, 9.0)
    steepness = np.sqrt(sum(np.square(g) for g in np.gradient(field, SPACING_MM)))
    return (np.abs(field) / np.maximum(ndimage.gaussian_filter(steepness, 2.0), 0.04)).astype(np.float32)


def _brain_shape(grid: Region) -> np.ndarray:
    upper = ellipsoid(grid, (0, -2, 10), (66, 84, 60))
    frontal = ellipsoid(grid, (0, 36, 0), (48, 46, 34))
    whole = smooth_union(upper, frontal, 18.0)
    for side in (1, -1):
        temporal = ellipsoid(grid, (side * 47, 10, -24), (22, 42, 23))
        whole = smooth_union(whole, temporal, 10.0)
    # The base of the cerebrum is flat; below it lie the skull base and the cerebellum.
    base = -21.0 - grid.z + 0.0 * grid.x - 12.0 * np.clip((np.abs(grid.x) - 22.0) / 14.0, 0, 1) * (grid.y > -45)
    return smooth_cut(whole, -base, 8.0)


def cerebellum_shape(grid: Region) -> np.ndarray:
    """Return the distance to the two lobes of the cerebellum and the vermis between them."""
    lobes = smooth_union(
        ellipsoid(grid, (24, -52, -40), (29, 29, 20)), ellipsoid(grid, (-24, -52, -40), (29, 29, 20)), 8.0
    )
    return smooth_union(lobes, ellipsoid(grid, (0, -50, -36), (10, 25, 22)), 6.0)


def _paint_face_and_scalp(
    canvas: Canvas, grid: Region, brain: np.ndarray, ripple: np.ndarray, grain: np.ndarray
) -> None:
    vault = ellipsoid(grid, (0, -2, 4), (71, 89, 68))
    face = ellipsoid(grid, (0, 44, -58), (48, 46, 58))
    neck = cylinder(grid, (0.0, -22.0 - 0.12 * (grid.z + 60)), (52, 54)) + np.maximum(grid.z + 30.0, 0)
    head = smooth_union(smooth_union(vault - 11.5, face - 4.0, 26.0), neck, 30.0) + 0.8 * ripple
    nose = ellipsoid(grid, (0, 94, -46), (13, 18, 20))
    head = smooth_union(head, nose, 16.0)
    canvas.paint(grid, head, FAT + 30.0 * grain)
    canvas.shade(grid, np.abs(head + 1.2) - 1.0, 240.0)
    canvas.shade(
        grid,
        np.maximum(head + 5.0, grid.z + 28.0 - 0.35 * grid.y),
        MUSCLE + 45.0 * np.maximum(ripple, 0) + 24.0 * grain,
    )
    # Bone wraps the brain and the cerebellum; between the skull base and the face there is fat and muscle.
    dome = np.maximum(vault - 5.0, -6.0 - grid.z + 0.3 * grid.y)
    skull = smooth_union(smooth_union(dome, brain - 7.0, 6.0), cerebellum_shape(grid) - 8.0, 6.0) + 0.6 * ripple
    canvas.shade(grid, skull, BONE)
    # Marrow between the two tables of the skull is bright.
    canvas.shade(grid, np.maximum(np.abs(skull + 3.6) - 1.1, 8.0 - grid.z), 300.0 + 60.0 * grain)
    around = np.maximum(ellipsoid(grid, (0, -2, 6), (66.5, 84.5, 63)), -12.0 - grid.z)
    cistern = ellipsoid(grid, (0, -6, -28), (24, 22, 22))
    fluid = np.minimum(np.minimum(brain - 2.4, around), cistern)
    canvas.shade(grid, fluid, CSF)
    clivus = tube(canvas, spline([(0, 14, -30), (0, 2, -48), (0, -8, -66)], 30), 7.0)
    canvas.shade(*clivus, 380.0)
    for side in (1, -1):
        eye = (side * 32.0, 72.0, -30.0)
        canvas.shade(grid, ellipsoid(grid, eye, (19, 21, 18)), FAT)
        canvas.shade(grid, ellipsoid(grid, eye, (12.4, 12.4, 12.4)), 150.0)
        canvas.shade(grid, ellipsoid(grid, eye, (11, 11, 11)), CSF)
        lens = (eye[0], eye[1] + 8.5, eye[2])
        canvas.shade(grid, ellipsoid(grid, lens, (4.5, 2.2, 4.5)), 190.0)
        nerve = tube(canvas, spline([(side * 31, 60, -30), (side * 14, 36, -27)], 24), 2.4)
        canvas.shade(*nerve, 260.0)
        canvas.shade(grid, ellipsoid(grid, (side * 30, 60, -62), (14, 15, 17)) + 0.8 * ripple, AIR)
        canvas.shade(grid, ellipsoid(grid, (side * 56, -24, -44), (9, 14, 14)) + 2.0 * np.abs(grain), BONE)
        canvas.shade(grid, ellipsoid(grid, (side * 6, 66, -52), (4.5, 28, 15)) + 1.6 * np.abs(grain), AIR)
    canvas.shade(grid, ellipsoid(grid, (0, 30, -36), (13, 12, 8)), AIR)
    canvas.shade(*tube(canvas, spline([(0, 32, -56), (0, 18, -72), (0, 12, -106)], 40), 9.0), AIR)
    tongue = ellipsoid(grid, (0, 52, -86), (23, 32, 16))
    canvas.shade(grid, tongue, 230.0 + 25.0 * np.sin(grid.y / 2.5 + grid.x / 4.0))
    cord = tube(canvas, spline([(0, -26, -62), (0, -28, -84), (0, -30, -112)], 40), 9.0)
    canvas.shade(*cord, CSF)


def _paint_cerebrum(canvas: Canvas, grid: Region, brain: np.ndarray, folds: np.ndarray, ripple: np.ndarray) -> None:
    canvas.paint(grid, brain, CSF, "brain")
    depth = -brain
    # Sulci are narrow and at most 20 mm deep; insula and midline face are cortex too.
    core = ellipsoid(grid, (0, -4, 6), (60, 44, 26))
    midline = np.maximum(np.abs(grid.x - 1.3 * ripple) - 0.9, -core)
    lateral = np.maximum(36.0 - np.abs(grid.x), np.abs(grid.y - 10.0) - 30.0)
    sylvian = np.maximum(np.abs(grid.z + 4.0 + 0.42 * (grid.y - 10.0) - 4.0 * ripple) - 0.8, lateral)
    sulcus = np.maximum(folds - np.clip(1.5 - depth / 14.0, 0.35, 1.5), depth - 19.0)
    fluid = np.minimum(np.minimum(sulcus, midline), np.minimum(sylvian, depth - 0.9))
    cortex = np.minimum(
        np.minimum(np.maximum(folds - 3.9, depth - 22.0), depth - 3.8), np.minimum(midline, sylvian) - 3.4
    )
    canvas.shade(grid, brain + 0.5, GREY)
    canvas.shade(grid, np.maximum(brain, -cortex), WHITE)
    canvas.shade(grid, np.maximum(fluid, brain - 1.0), CSF)


def _paint_deep_structures(canvas: Canvas, grid: Region, ripple: np.ndarray) -> None:
    core = ellipsoid(grid, (0, -4, 8), (29, 40, 21)) + 1.5 * ripple
    canvas.shade(grid, core, WHITE)
    arch = np.array([(34, 6), (28, 20), (4, 29), (-26, 24), (-34, 13)], float)
    for offset in (-9.0, 0.0, 9.0):
        callosum = spline([(offset, y, z) for y, z in arch], 60)
        canvas.shade(*tube(canvas, callosum, 4.2), WHITE + 18.0)
    for side in (1, -1):
        for centre, radii, turn, value in (
            ((13, -10, 8), (10, 16, 10), -18.0, GREY + 28),
            ((26, 8, 5), (6.5, 17, 11), -14.0, GREY + 8),
            ((19, 4, 4), (4.5, 10, 7), -20.0, WHITE - 42),
            ((38, 6, 3), (1.6, 20, 14), -8.0, GREY),
        ):
            shape = ellipsoid(grid, (side * centre[0], centre[1], centre[2]), radii, side * turn)
            canvas.shade(grid, shape, value)
        caudate = tube(
            canvas,
            spline(mirrored([(12, 26, 8), (14, 16, 16), (18, -6, 21), (21, -20, 17)], side), 50),
            np.linspace(6.5, 2.4, 50),
        )
        canvas.shade(*caudate, GREY + 12)
        horn = [(9, 33, 8), (8, 20, 15), (10, 0, 21), (15, -22, 18), (22, -34, 8), (26, -50, 6)]
        body = tube(
            canvas,
            spline(mirrored(horn, side), 70),
            np.interp(np.linspace(0, 1, 70), [0, 0.3, 0.7, 1], [4.5, 5.0, 7.2, 2.5]),
        )
        canvas.shade(*body, CSF)
        temporal = tube(
            canvas, spline(mirrored([(23, -35, 6), (32, -24, -10), (35, -4, -18), (33, 6, -19)], side), 40), 2.7
        )
        canvas.shade(*temporal, CSF)
    canvas.shade(grid, ellipsoid(grid, (0, -6, 4), (2.2, 13, 9)), CSF)


def _paint_hindbrain(canvas: Canvas, grid: Region, rng: np.random.Generator) -> None:
    cerebellum = cerebellum_shape(grid)
    canvas.paint(grid, cerebellum - 2.0, CSF)
    bend = canvas.texture(rng, 9.0)
    leaves = np.sin(np.hypot(grid.y + 34.0, 1.5 * (grid.z + 40.0)) / 1.15 + 1.6 * bend + np.abs(grid.x) * 0.12)
    canvas.paint(grid, cerebellum, GREY + 14.0 + 26.0 * leaves, "brain")
    canvas.shade(grid, np.maximum(cerebellum + 1.0, 0.80 - leaves), CSF + 90.0)
    arbor = cerebellum + 11.0 + 3.2 * leaves
    canvas.shade(grid, arbor, WHITE)
    canvas.shade(grid, ellipsoid(grid, (0, -36, -38), (5, 5, 8)), CSF)
    for points, radius in (
        ([(0, -10, -8), (0, -14, -22), (0, -20, -40), (0, -26, -64)], [13.0, 13.0, 14.0, 7.5]),
        ([(10, -2, -14), (6, -10, -20)], [8.0, 8.0]),
        ([(-10, -2, -14), (-6, -10, -20)], [8.0, 8.0]),
    ):
        centres = spline(points, 50)
        radii = np.interp(np.linspace(0, 1, 50), np.linspace(0, 1, len(radius)), radius)
        region, distance = tube(canvas, centres, radii)
        canvas.paint(region, distance, WHITE - 22.0, "brain")
    pons = ellipsoid(grid, (0, -9, -36), (17, 12, 13))
    canvas.paint(grid, pons, WHITE - 30.0, "brain")
    cord = tube(canvas, spline([(0, -26, -64), (0, -28, -84), (0, -30, -112)], 40), 5.6)
    canvas.paint(*cord, WHITE - 20.0, "spinal_cord")


def _paint_hippocampi(canvas: Canvas, grain: np.ndarray) -> None:
    """Set a sea horse into each temporal lobe; its head is `anterior`, body and tail are `posterior`."""
    for side in (1, -1):
        axis = spline(mirrored([(22, 4, -18), (27, -4, -19), (29, -14, -15), (27, -24, -8), (21, -33, 0)], side), 70)
        radii = np.interp(np.linspace(0, 1, 70), [0, 0.12, 0.35, 0.7, 1], [4.8, 6.6, 5.6, 4.6, 2.6])
        region, distance = tube(canvas, axis, radii)
        canvas.shade(region, distance - 1.4, WHITE - 30.0)
        distance = distance + 0.5 * grain[region.slices]
        border = -9.0
        for name, half in (("hippocampus_anterior", border - region.y), ("hippocampus_posterior", region.y - border)):
            canvas.paint(region, np.maximum(distance, half), GREY + 4.0 + 8.0 * grain[region.slices], name)
        canvas.shade(region, np.maximum(distance, np.abs(region.y - border) - 1.0), GREY + 4.0)
        curl = tube(canvas, axis[8:] + np.array([side * 1.0, 0, 2.6]), 0.7)
        canvas.shade(*curl, WHITE - 40.0)


def _scanned(canvas: Canvas, rng: np.random.Generator) -> np.ndarray:
    """Add the coil's uneven sensitivity, the scanner's blur and Rician noise."""
    sensitivity = 1.0 + 0.11 * canvas.texture(rng, 60.0)
    signal = ndimage.gaussian_filter(canvas.image, 0.42) * np.clip(sensitivity, 0.65, 1.4)
    real = signal + rng.normal(0, 13.0, signal.shape)
    imaginary = rng.normal(0, 13.0, signal.shape)
    return np.round(np.hypot(real, imaginary)).astype(np.int16)
