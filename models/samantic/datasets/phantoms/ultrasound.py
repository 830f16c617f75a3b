"""Ultrasound-like pictures of a breast with a lesion: layers, speckle of interfering echoes, shadow or enhancement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from samantic.datasets.phantoms.canvas import smooth_noise
from samantic.datasets.phantoms.dermoscopy import PHOTOGRAPH_AFFINE
from samantic.datasets.phantoms.phantom import Phantom

ROWS, COLUMNS = 400, 500


@dataclass(frozen=True)
class Recipe:
    """How one picture differs from the others; lengths in pixels, echoes in decibels against gland tissue."""

    centre_yx: tuple[float, float]
    radii_yx: tuple[float, float]
    turn_deg: float
    ragged: float
    spikes: float
    echo_db: float
    behind_db: float
    rim_db: float


RECIPES = (
    Recipe((172, 246), (42, 72), -7, 0.035, 0.0, -21.0, 5.0, 5.0),
    Recipe((178, 270), (66, 58), 10, 0.12, 0.16, -23.0, -17.0, 6.0),
    Recipe((150, 216), (37, 52), 4, 0.02, 0.0, -46.0, 9.0, 6.0),
)


def make_ultrasound(number: int) -> Phantom:
    """Return picture `number`, uint8 (500, 400, 1), class `breast_lesion`: 1 benign-, 2 malignant-, 3 cyst-like."""
    recipe = RECIPES[number - 1]
    rng = np.random.default_rng(500 + number)
    distance = _lesion_distance(recipe, rng)
    echo_db = _tissue_db(rng)
    echo_db = _with_lesion(echo_db, recipe, distance, rng)
    grey = _beamformed(echo_db, rng)
    image = np.ascontiguousarray(grey.T)[:, :, None]
    truth = np.ascontiguousarray((distance < 0).T)[:, :, None].astype(np.uint8)
    return Phantom(f"ultrasound_{number}", "US", image, PHOTOGRAPH_AFFINE, truth, {1: "breast_lesion"})


def _noise(rng: np.random.Generator, sigma: float | tuple[float, float]) -> np.ndarray:
    return smooth_noise(rng, (ROWS, COLUMNS), np.asarray(sigma, float))


def _grid() -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[0:ROWS, 0:COLUMNS].astype(np.float32)
    return y, x


def _tissue_db(rng: np.random.Generator) -> np.ndarray:
    """Return the echo strength of skin, fat lobules with their septa, gland, fascia, muscle and the chest wall."""
    y, x = _grid()
    depth_of_gland = 96 + 12 * _noise(rng, (60.0, 60.0)) + 14 * np.sin(x / 95.0 + 0.7)
    depth_of_muscle = 292 + 8 * _noise(rng, (60.0, 90.0)) + 6 * np.sin(x / 160.0)
    depth_of_wall = depth_of_muscle + 58 + 4 * _noise(rng, (60.0, 60.0))

    gland = -3.0 + 3.2 * _noise(rng, (4.0, 16.0)) + 2.0 * _noise(rng, (18.0, 30.0))
    lobules = _noise(rng, (15.0, 30.0))
    septa = np.exp(-((lobules / 0.16) ** 2))
    fat = -17.0 + 2.0 * _noise(rng, (6.0, 12.0)) + 15.0 * septa
    fibres = np.sin((y - depth_of_muscle + 0.05 * x) / 2.6 + 1.5 * _noise(rng, (14.0, 60.0)))
    muscle = -15.0 + 6.0 * np.clip(fibres, 0, 1) + 2.0 * _noise(rng, (8.0, 30.0))
    beyond = -27.0 - 0.10 * np.clip(y - depth_of_wall, 0, None) + 3.0 * _noise(rng, (10.0, 22.0))

    def step(level: np.ndarray, width: float) -> np.ndarray:
        return np.clip((y - level) / width + 0.5, 0, 1)

    echo = fat + (gland - fat) * step(depth_of_gland, 9.0)
    # Islands of fat between the gland's lobes.
    island = np.clip(_noise(rng, (20.0, 34.0)) - 1.0, 0, 1) * step(depth_of_gland, 20.0)
    echo = echo + (fat - echo) * island
    echo = echo + (fat - echo) * step(depth_of_muscle - 34, 12.0)
    echo = echo + (muscle - echo) * step(depth_of_muscle, 4.0)
    echo = echo + (beyond - echo) * step(depth_of_wall, 4.0)
    for level, strength, thick in ((depth_of_muscle, 16.0, 2.2), (depth_of_wall, 20.0, 2.8), (0 * x + 26, 9.0, 2.0)):
        echo = echo + strength * np.exp(-(((y - level) / thick) ** 2))
    skin = np.exp(-(((y - 14) / 9.0) ** 4))
    echo = echo * (1 - skin) + 7.0 * skin
    for centre in (70.0, 258.0, 430.0):
        rib = np.exp(-(((x - centre) / 40.0) ** 4))
        echo = echo + rib * (
            9.0 * np.exp(-(((y - depth_of_wall - 6) / 4.0) ** 2)) - 11.0 * step(depth_of_wall + 12, 6.0)
        )
    return echo


def _lesion_distance(recipe: Recipe, rng: np.random.Generator) -> np.ndarray:
    y, x = _grid()
    dy, dx = y - recipe.centre_yx[0], x - recipe.centre_yx[1]
    cosine, sine = np.cos(np.deg2rad(recipe.turn_deg)), np.sin(np.deg2rad(recipe.turn_deg))
    dx, dy = cosine * dx + sine * dy, cosine * dy - sine * dx
    angle = np.arctan2(dy / recipe.radii_yx[0], dx / recipe.radii_yx[1])
    outline = np.ones_like(angle)
    for order in range(2, 8):
        outline += recipe.ragged / np.sqrt(order) * rng.uniform(0.4, 1.4) * np.cos(order * angle + rng.uniform(0, 6.28))
    if recipe.spikes:
        thorn = np.clip(np.cos(11 * angle + 1.2 * np.sin(3 * angle)), 0, 1) ** 4
        outline += recipe.spikes * thorn * (0.6 + 0.4 * np.cos(2 * angle + 1))
    reach = np.hypot(dy / recipe.radii_yx[0], dx / recipe.radii_yx[1])
    size = float(np.sqrt(recipe.radii_yx[0] * recipe.radii_yx[1]))
    return (reach - outline) * size + 1.3 * _noise(rng, 5.0)


def _with_lesion(echo_db: np.ndarray, recipe: Recipe, distance: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    inside = np.clip(0.5 - distance / (5.0 if recipe.ragged > 0.1 else 2.5), 0, 1)
    content = recipe.echo_db + 2.4 * _noise(rng, (7.0, 12.0))
    # What lies behind is seen through the lesion: weaker after a dense one, stronger after fluid.
    crossed = np.cumsum(inside, axis=0)
    thickest = max(float(crossed.max()), 1.0)
    behind = (
        recipe.behind_db * ndimage.gaussian_filter(np.clip(crossed / thickest * 1.3, 0, 1), (0, 5.0)) * (1 - inside)
    )
    rim = recipe.rim_db * np.exp(-(((distance - 2.5) / 3.2) ** 2))
    return echo_db * (1 - inside) + content * inside + behind + rim * (1 - inside)


def _beamformed(echo_db: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Turn echo strengths into a picture: scatterers, a pulse that widens with depth, the logarithm of the envelope."""
    amplitude = 10.0 ** (echo_db / 20.0)
    scatterers = (rng.standard_normal(echo_db.shape) + 1j * rng.standard_normal(echo_db.shape)) * amplitude
    narrow = _pulse(scatterers, (0.9, 1.7))
    wide = _pulse(scatterers, (1.1, 3.6))
    y, x = _grid()
    focus = np.clip(np.abs(y - 165.0) / 230.0, 0, 1)
    envelope = np.abs(narrow * (1 - focus) + wide * focus)
    decibels = 20.0 * np.log10(envelope + 10.0 ** (-52.0 / 20.0))
    gain = 1.5 * np.sin(y / 130.0) - 0.012 * np.clip(y - 250, 0, None)
    coupling = -9.0 * np.clip((np.abs(x - COLUMNS / 2) - 205.0) / 45.0, 0, 1) ** 2
    grey = (decibels + gain + coupling + 42.0) / 55.0
    grey = ndimage.gaussian_filter(grey, 0.6)
    return np.clip(np.round(np.clip(grey, 0, 1) ** 1.05 * 255.0), 0, 255).astype(np.uint8)


def _pulse(scatterers: np.ndarray, sigma_yx: tuple[float, float]) -> np.ndarray:
    """Blur by the pulse and keep the mean energy."""
    real = ndimage.gaussian_filter(scatterers.real, sigma_yx)
    imaginary = ndimage.gaussian_filter(scatterers.imag, sigma_yx)
    return (real + 1j * imaginary) * np.sqrt(4 * np.pi * sigma_yx[0] * sigma_yx[1]) * 0.7
