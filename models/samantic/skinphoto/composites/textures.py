"""Noise and patterns that pictures are made of."""

from __future__ import annotations

import numpy as np
from PIL import Image

Shape = tuple[int, int]


def grid(shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates y (rows, 1) and x (1, cols) in units of the shorter side, the middle of the picture at 0."""
    rows, columns = shape
    short = min(shape)
    y = (np.arange(rows, dtype=np.float32) + 0.5 - rows / 2) / short
    x = (np.arange(columns, dtype=np.float32) + 0.5 - columns / 2) / short
    return y[:, None], x[None, :]


def smooth_noise(random: np.random.Generator, shape: Shape, cells: float, stretch: float = 1.0) -> np.ndarray:
    """Noise (rows, cols) float32 of deviation about 1 with `cells` bumps along the shorter side.

    `stretch` above 1 draws the bumps out along the rows, below 1 along the columns.
    """
    short = min(shape)
    counts = [
        max(2, min(length, round(length / short * cells * factor)))
        for length, factor in zip(shape, (stretch**0.5, stretch**-0.5), strict=True)
    ]
    coarse = random.standard_normal(counts, dtype=np.float32)
    if tuple(counts) == shape:
        return coarse
    return resized(coarse, shape)


def resized(plane: np.ndarray, shape: Shape) -> np.ndarray:
    """A plane (h, w) float32 as (rows, cols), by cubic interpolation."""
    rows, columns = shape
    return np.asarray(Image.fromarray(plane, "F").resize((columns, rows), Image.Resampling.BICUBIC))


def cloudy(random: np.random.Generator, shape: Shape, cells: float, octaves: int = 3) -> np.ndarray:
    """The same in several sizes of bumps, each half as strong and twice as fine as the one before."""
    layers = [smooth_noise(random, shape, cells * 2**octave) * 0.6**octave for octave in range(octaves)]
    return np.sum(layers, axis=0, dtype=np.float32)


def stripes(random: np.random.Generator, shape: Shape, period: float, waviness: float = 0.05) -> np.ndarray:
    """Waves (rows, cols) in -1 to 1 in a random direction; `period` in units of the shorter side."""
    y, x = grid(shape)
    angle = random.uniform(0, np.pi)
    along = np.cos(angle) * x + np.sin(angle) * y + waviness * smooth_noise(random, shape, 3)
    return np.sin(2 * np.pi * along / period)


def mixed(under: np.ndarray, over: np.ndarray, share: np.ndarray | float) -> np.ndarray:
    """Lay one picture (rows, cols, 3) over another where `share` (rows, cols) is 1."""
    weight = share[..., None] if isinstance(share, np.ndarray) else share
    return under + (over - under) * weight


def edge(signed: np.ndarray, softness: float) -> np.ndarray:
    """0 outside, 1 inside of a border at 0, with a ramp as wide as `softness`."""
    return np.clip(signed / softness + 0.5, 0, 1)


def colour(random: np.random.Generator, low: float = 0.1, high: float = 0.95, vividness: float = 0.35) -> np.ndarray:
    """A colour (3,) float32: a grey with some hue."""
    grey = random.uniform(low, high)
    return np.clip(grey + vividness * random.normal(0, 0.4, 3), 0.02, 0.98).astype(np.float32)
