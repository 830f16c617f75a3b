"""A CT-like abdomen of a person lying on their back, from the lung bases down to the hips, portal venous phase."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from samantic.datasets.phantoms.abdomen_body import BodyWall, paint_body, paint_chest, paint_muscles
from samantic.datasets.phantoms.abdomen_bones import paint_bones
from samantic.datasets.phantoms.abdomen_bowel import paint_bowel
from samantic.datasets.phantoms.abdomen_organs import paint_organs
from samantic.datasets.phantoms.abdomen_vessels import paint_vessels
from samantic.datasets.phantoms.canvas import Canvas, smooth_noise
from samantic.datasets.phantoms.phantom import Phantom

SHAPE = (160, 160, 88)
SPACING_MM = (2.25, 2.25, 4.0)


def make_abdomen(seed: int = 20) -> Phantom:
    """Return the abdomen: int16 Hounsfield units (160, 160, 88) at 2.25 x 2.25 x 4 mm, i to the left, j to the back."""
    rng = np.random.default_rng(seed)
    dx, dy, dz = SPACING_MM
    affine = np.array([[-dx, 0, 0, dx * 79.5], [0, -dy, 0, dy * 79.5 - 6], [0, 0, dz, 0], [0, 0, 0, 1]])
    canvas = Canvas(SHAPE, affine, softness_mm=2.6)
    canvas.image[:] = -1000
    wall = BodyWall.of(canvas, rng)
    ripple = canvas.texture(rng, 14.0)
    grain = canvas.texture(rng, 3.0)

    paint_body(canvas, wall, grain)
    paint_chest(canvas, wall, rng)
    paint_muscles(canvas, wall, ripple, grain)
    paint_bones(canvas, ripple, grain)
    paint_vessels(canvas, rng)
    paint_bowel(canvas, wall, ripple, grain, rng)
    paint_organs(canvas, wall, ripple, grain, rng)
    return Phantom("ct_abdomen", "CT", _scanned(canvas.image, rng), affine, *_compact(canvas))


def _scanned(hounsfield: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Blur by the scanner's resolution and add its noise, which is a little coarser than the voxels."""
    blurred = ndimage.gaussian_filter(hounsfield, (0.45, 0.45, 0.25))
    noise = 15.0 * smooth_noise(rng, hounsfield.shape, (0.55, 0.55, 0.2))
    return np.clip(np.round(blurred + noise), -1024, 2000).astype(np.int16)


def _compact(canvas: Canvas) -> tuple[np.ndarray, dict[int, str]]:
    """Drop classes of which other tissues have left nothing or crumbs; values become 1..n in alphabetical order."""
    counts = np.bincount(canvas.truth.ravel(), minlength=256)
    kept = sorted((name, value) for value, name in canvas.names.items() if counts[value] >= 40)
    table = np.zeros(256, np.uint8)
    for new, (_, old) in enumerate(kept, start=1):
        table[old] = new
    return table[canvas.truth], {new: name for new, (name, _) in enumerate(kept, start=1)}
