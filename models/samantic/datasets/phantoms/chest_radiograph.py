"""Chest-radiograph-like pictures: what no model here was trained on, and what people will nevertheless open."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

SIDE = 512


def make_chest_radiograph(number: int) -> np.ndarray:
    """Return picture `number` (512, 512, 3) uint8 in greys: chest wall, lungs, ribs, clavicles, spine, heart."""
    random = np.random.default_rng(900 + number)
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    x = (x - 0.5) / random.uniform(0.92, 1.08)
    # Attenuation adds up along the beam; every structure is a blurred shadow.
    shadow = 1.4 * _blurred(_ellipse(x, y, (0.0, 0.62), (0.46, 0.62)), 9)
    for side in (-1, 1):
        lung = _ellipse(x, y, (side * 0.2, 0.47), (0.14 * random.uniform(0.95, 1.05), 0.33)) & (
            y < 0.74 + 0.06 * np.cos((x - side * 0.2) * 12) - 0.02 * side
        )
        shadow -= 0.95 * _blurred(lung, 5)
        shadow += _vessels(x, y, side, random) * _blurred(lung, 3)
        shadow += 0.25 * _blurred(_ribs(x, y, side), 2.5)
        clavicle = np.abs(y - 0.2 + 0.22 * (np.abs(x) - 0.1)) < 0.012
        shadow += 0.35 * _blurred(clavicle & (side * x > 0.03) & (side * x < 0.36), 2.5)
    shadow += 0.5 * _blurred(np.abs(x) < 0.035, 4) * (1 + 0.25 * np.sin(y * 2 * np.pi * 13))
    shadow += 0.7 * _blurred(_ellipse(x, y, (0.06, 0.62), (0.13 * random.uniform(0.9, 1.15), 0.14)), 5)
    shadow += 0.4 * _blurred(_ellipse(x, y, (0.0, 0.35), (0.06, 0.16)), 6)
    shadow += random.normal(0, 0.02, shadow.shape)
    low, high = np.percentile(shadow, (1, 99))
    grey = ((shadow - low) / (high - low)).clip(0, 1) ** random.uniform(0.8, 1.2)
    return np.repeat((grey * 255).astype(np.uint8)[..., None], 3, axis=2)


def _ellipse(x: np.ndarray, y: np.ndarray, centre: tuple[float, float], radii: tuple[float, float]) -> np.ndarray:
    return ((x - centre[0]) / radii[0]) ** 2 + ((y - centre[1]) / radii[1]) ** 2 < 1


def _ribs(x: np.ndarray, y: np.ndarray, side: int) -> np.ndarray:
    """Nine arches from the spine, steeper towards the flank."""
    across = side * x
    drop = 0.35 * across.clip(min=0) ** 1.5
    heights = np.linspace(0.17, 0.7, 9)[:, None, None]
    near = np.abs(y[None] - heights - drop[None] + 0.04) < 0.011
    return near.any(axis=0) & (across > 0.03) & (across < 0.34)


def _vessels(x: np.ndarray, y: np.ndarray, side: int, random: np.random.Generator) -> np.ndarray:
    """Branches that fan out from the hilum and fade."""
    away = np.hypot(x - side * 0.07, y - 0.47)
    angle = np.arctan2(y - 0.47, side * (x - side * 0.07))
    fan = np.zeros_like(x)
    for direction in random.uniform(-1.2, 1.2, 14):
        fan += np.abs(angle - direction - 0.3 * np.sin(away * 20 + direction)) * away < 0.004
    return 0.3 * _blurred(fan > 0, 1.5) * np.exp(-away / 0.12)


def _blurred(mask: np.ndarray, sigma: float) -> np.ndarray:
    return ndimage.gaussian_filter(mask.astype(np.float64), sigma)
