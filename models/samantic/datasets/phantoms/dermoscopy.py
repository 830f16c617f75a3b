"""Dermoscopic-like photographs: skin with its lines and hairs, a pigmented lesion, the dark corners of the lens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from samantic.datasets.phantoms.canvas import smooth_noise
from samantic.datasets.phantoms.phantom import Phantom

ROWS, COLUMNS = 384, 512
PHOTOGRAPH_AFFINE = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True)
class Recipe:
    """How one picture differs from the others: skin and lesion colours (RGB 0..1), size, irregularity, hairs."""

    skin: tuple[float, float, float]
    lesion: tuple[float, float, float]
    core: tuple[float, float, float]
    centre_yx: tuple[float, float]
    radius: float
    ragged: float
    network: float
    globules: int
    veil: float
    hairs: int


RECIPES = (
    Recipe((0.86, 0.66, 0.56), (0.56, 0.35, 0.24), (0.36, 0.20, 0.13), (196, 250), 92, 0.10, 0.9, 26, 0.0, 14),
    Recipe((0.82, 0.60, 0.54), (0.47, 0.28, 0.22), (0.20, 0.13, 0.13), (182, 272), 118, 0.24, 0.6, 60, 0.75, 4),
    Recipe((0.90, 0.73, 0.62), (0.68, 0.46, 0.34), (0.52, 0.33, 0.23), (210, 236), 64, 0.07, 0.5, 8, 0.0, 30),
)


def make_dermoscopy(number: int) -> Phantom:
    """Return picture `number` (1..3): uint8 RGB (512, 384, 1, 3), first axis x; class `skin_lesion`."""
    recipe = RECIPES[number - 1]
    rng = np.random.default_rng(400 + number)
    picture = _skin(recipe, rng)
    distance = _lesion_distance(recipe, rng)
    picture = _with_lesion(picture, recipe, distance, rng)
    picture = _with_hairs(picture, recipe.hairs, rng)
    picture = _through_the_lens(picture, rng)
    pixels = np.clip(np.round(picture * 255.0), 0, 255).astype(np.uint8)
    image = np.ascontiguousarray(pixels.transpose(1, 0, 2))[:, :, None, :]
    truth = np.ascontiguousarray((distance < 0).T)[:, :, None].astype(np.uint8)
    return Phantom(f"dermoscopy_{number}", "RGB", image, PHOTOGRAPH_AFFINE, truth, {1: "skin_lesion"})


def _noise(rng: np.random.Generator, sigma: float | tuple[float, float]) -> np.ndarray:
    return smooth_noise(rng, (ROWS, COLUMNS), np.asarray(sigma, float))


def _skin(recipe: Recipe, rng: np.random.Generator) -> np.ndarray:
    tone = 0.030 * _noise(rng, 70.0) + 0.014 * _noise(rng, 14.0) + 0.010 * _noise(rng, 2.2)
    # Skin lines: shallow furrows in two crossing directions.
    y, x = np.mgrid[0:ROWS, 0:COLUMNS].astype(np.float32)
    warp = 7.0 * _noise(rng, 18.0)
    lines = np.maximum(np.sin((0.9 * x + 0.5 * y + warp) / 3.4), np.sin((0.4 * x - 0.9 * y + warp) / 3.9))
    tone = tone - 0.016 * np.clip(lines - 0.55, 0, 1) * 2
    redness = 0.020 * _noise(rng, 26.0) + 0.05 * np.clip(_noise(rng, 7.0) - 1.4, 0, 1.5)
    base = np.asarray(recipe.skin, np.float32)
    channels = np.array([1.0, 1.05, 1.1], np.float32)
    picture = base + tone[..., None] * channels
    picture[..., 1] -= redness
    picture[..., 2] -= 0.8 * redness
    return picture.astype(np.float32)


def _lesion_distance(recipe: Recipe, rng: np.random.Generator) -> np.ndarray:
    """Return the distance to the border in pixels, negative inside; harmonics and fine noise make the outline."""
    y, x = np.mgrid[0:ROWS, 0:COLUMNS].astype(np.float32)
    dy, dx = y - recipe.centre_yx[0], x - recipe.centre_yx[1]
    angle = np.arctan2(dy, dx)
    outline = np.ones_like(angle)
    for order in range(2, 11):
        strength = recipe.ragged * (0.9 if order < 5 else 0.42) / np.sqrt(order - 1)
        outline += strength * np.cos(order * angle + rng.uniform(0, 2 * np.pi)) * rng.uniform(0.4, 1.0)
    squash = 1.0 + 0.12 * np.cos(2 * angle + rng.uniform(0, np.pi))
    rough = (10.0 * recipe.ragged + 1.0) * _noise(rng, 5.0) + (12.0 * recipe.ragged) * _noise(rng, 14.0)
    return np.hypot(dy, dx) - recipe.radius * outline * squash + rough


def _with_lesion(picture: np.ndarray, recipe: Recipe, distance: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    inside = np.clip(0.5 - distance / (7.0 if recipe.ragged < 0.2 else 4.0), 0, 1)
    depth = np.clip(-distance / recipe.radius, 0, 1)
    islands = np.clip(0.55 + 0.42 * _noise(rng, 17.0) + 0.75 * (depth - 0.45), 0, 1)
    pigment = np.asarray(recipe.lesion) * (1 - islands[..., None]) + np.asarray(recipe.core) * islands[..., None]
    pigment = pigment * (1.0 + 0.10 * _noise(rng, 5.0) + 0.05 * _noise(rng, 1.2))[..., None]

    # Pigment network: dark cords around pale holes, as seen along the ridges of the epidermis.
    cells = _noise(rng, 2.6)
    cords = np.exp(-((cells / 0.42) ** 2))
    zone = np.clip(1.35 - 1.7 * depth, 0, 1) * recipe.network
    pigment = pigment * (1.0 - 0.30 * (zone * cords)[..., None] + 0.10 * (zone * (1 - cords))[..., None])

    spots = np.zeros((ROWS, COLUMNS), np.float32)
    candidates = np.argwhere(distance < -5)
    for y, x in candidates[rng.choice(len(candidates), recipe.globules, replace=False)]:
        spots[y, x] = rng.uniform(30, 90)
    spots = np.clip(ndimage.gaussian_filter(spots, 2.0), 0, 1)
    pigment = pigment * (1 - 0.55 * spots[..., None])
    if recipe.veil:
        patch = recipe.veil * np.clip(_noise(rng, 24.0) - 0.1, 0, 1) * np.clip(depth * 3, 0, 1)
        pigment = pigment * (1 - patch[..., None]) + np.array([0.42, 0.45, 0.53]) * patch[..., None]
        pale = 0.7 * np.clip(_noise(rng, 20.0) - 1.1, 0, 1) * np.clip(depth * 4, 0, 1)
        pigment = pigment * (1 - pale[..., None]) + np.array([0.80, 0.64, 0.58]) * pale[..., None]
    halo = 0.10 * np.exp(-np.clip(distance, 0, None) / 16.0) * (1 - inside)
    around = picture * (1 - halo[..., None] * np.array([0.5, 1.0, 1.0]))
    strength = (inside * np.clip(0.80 + 0.25 * depth, 0, 1))[..., None]
    return (around * (1 - strength) + pigment * strength).astype(np.float32)


def _with_hairs(picture: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    cover = np.zeros((ROWS, COLUMNS), np.float32)
    for _ in range(count):
        start = np.array([rng.uniform(0, ROWS), rng.uniform(0, COLUMNS)])
        heading, bend = rng.normal(0.7, 0.55), rng.normal(0, 0.0035)
        length, width = rng.uniform(90, 330), rng.uniform(0.7, 1.5)
        steps = np.arange(0, length, 0.5)
        angles = heading + bend * steps
        path = start + np.cumsum(np.stack([np.sin(angles), np.cos(angles)], axis=1) * 0.5, axis=0)
        taper = width * np.clip(1.2 - steps / length, 0.25, 1)
        for (y, x), thick in zip(path, taper, strict=True):
            row, column = int(y), int(x)
            if not (2 <= row < ROWS - 2 and 2 <= column < COLUMNS - 2):
                continue
            block = np.mgrid[row - 2 : row + 3, column - 2 : column + 3]
            away = np.hypot(block[0] - y, block[1] - x)
            window = cover[row - 2 : row + 3, column - 2 : column + 3]
            np.maximum(window, np.clip(thick + 0.5 - away, 0, 1), out=window)
    cover = ndimage.gaussian_filter(cover, 0.5)[..., None]
    shadow = ndimage.gaussian_filter(cover, (1.5, 1.5, 0))
    hair = np.array([0.17, 0.12, 0.10], np.float32)
    return picture * (1 - 0.12 * shadow) * (1 - 0.88 * cover) + hair * 0.88 * cover


def _through_the_lens(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    y, x = np.mgrid[0:ROWS, 0:COLUMNS].astype(np.float32)
    radius = np.hypot((y - ROWS / 2) / 292.0, (x - COLUMNS / 2) / 292.0)
    lit = 1.04 - 0.26 * radius**3
    rim = np.clip((1.03 - radius) / 0.05, 0, 1)
    picture = picture * (lit * rim)[..., None] + 0.03 * (1 - rim)[..., None]
    # Small bubbles in the contact gel catch the light.
    for _ in range(7):
        cy, cx, size = rng.uniform(30, ROWS - 30), rng.uniform(30, COLUMNS - 30), rng.uniform(2.0, 5.0)
        away = np.hypot(y - cy, x - cx)
        picture = picture + (0.16 * np.exp(-(((away - size) / 0.8) ** 2)))[..., None] * rim[..., None]
        picture = (
            picture + (0.35 * np.exp(-(((np.hypot(y - cy + 1, x - cx + 1)) / 0.9) ** 2)))[..., None] * rim[..., None]
        )
    picture = ndimage.gaussian_filter(picture, (0.55, 0.55, 0))
    return picture + rng.normal(0, 0.008, picture.shape)
