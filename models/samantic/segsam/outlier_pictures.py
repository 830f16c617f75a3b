"""Pictures of nothing in particular, for a network to know what it was not trained on.

Outlier exposure (Hendrycks et al. 2019, arXiv 1812.04606) needs no photographs: dead leaves, power-law noise, stripes,
cells and soft shadows have enough of the statistics of natural pictures (Baradad et al. 2021, arXiv 2106.05963).
"""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy import ndimage
from scipy.spatial import cKDTree

SIDE = 128
ENLARGED = 256


def outlier_picture(random: np.random.Generator) -> np.ndarray:
    """Draw one picture (256, 256, 3) uint8, in colours or in greys."""
    patterns = (power_law_noise, stripes, cells, soft_shapes)
    if random.random() < 0.35:
        picture = dead_leaves(random)
    else:
        pattern = _toned(patterns[random.integers(len(patterns))](random), random)
        dark, bright = random.uniform(0, 1, (2, 3))
        picture = dark + (bright - dark) * pattern[..., None]
    if random.random() < 0.3:
        share = random.uniform(0.1, 0.6)
        over = _toned(patterns[random.integers(len(patterns))](random), random)
        picture = (1 - share) * picture + share * over[..., None]
    if random.random() < 0.5:
        grey = picture.mean(axis=2, keepdims=True)
        picture = np.repeat((grey - grey.min()) / max(float(np.ptp(grey)), 1e-6), 3, axis=2)
    if random.random() < 0.3:
        blur = random.uniform(0.3, 1.5)
        picture = ndimage.gaussian_filter(picture, (blur, blur, 0))
    sharp = Image.Resampling.NEAREST if random.random() < 0.3 else Image.Resampling.BICUBIC
    enlarged = Image.fromarray((picture.clip(0, 1) * 255).astype(np.uint8)).resize((ENLARGED, ENLARGED), sharp)
    if random.random() < 0.5:
        return np.asarray(enlarged).copy()
    channels = 1 if random.random() < 0.5 else 3
    grain = random.normal(0, random.uniform(2, 35), (ENLARGED, ENLARGED, channels))
    return (np.asarray(enlarged) + grain).clip(0, 255).astype(np.uint8)


def spoilt_picture(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A picture (rows, cols, 3) uint8 as its domain never looks: turned to greys, inverted, tinted or in pieces (ours).

    What is drawn from nothing is far from every domain; these lie close to one.
    """
    coloured = bool((np.ptp(picture.astype(np.int16), axis=2) > 0).any())
    way = random.integers(4)
    if way == 0 and coloured:
        grey = picture.astype(np.float64).mean(axis=2)
        low, high = np.quantile(grey, (0.01, 0.99))
        toned = ((grey - low) / max(high - low, 1.0)).clip(0, 1) ** np.exp(random.normal(0, 0.4))
        spoilt = np.repeat(255 * (toned if random.random() < 0.5 else 1 - toned)[..., None], 3, axis=2)
        return np.ascontiguousarray(spoilt.astype(np.uint8))
    if way == 1:
        return np.ascontiguousarray(255 - picture)
    if way == 2:
        tint = random.permutation([random.uniform(0.7, 1.0), random.uniform(0.3, 0.8), random.uniform(0.0, 0.5)])
        return np.ascontiguousarray((picture.max(axis=2, keepdims=True) * tint).astype(np.uint8))
    return _in_pieces(picture, int(random.integers(3, 9)), random)


def dead_leaves(random: np.random.Generator) -> np.ndarray:
    """Discs and boxes that hide one another, some of them striped: (S, S, 3) in 0 to 1 (Lee, Mumford et al. 2001)."""
    y, x = np.mgrid[:SIDE, :SIDE]
    picture = np.broadcast_to(random.uniform(0, 1, 3), (SIDE, SIDE, 3)).copy()
    striped = random.random() < 0.5
    for _ in range(int(np.exp(random.uniform(np.log(15), np.log(200))))):
        radius = SIDE * min(0.5, random.uniform(0.06, 0.1) * float(random.pareto(1.6) + 0.4))
        inside = _shape(x, y, radius, random)
        fill = np.broadcast_to(random.uniform(0, 1, 3), picture.shape)
        if striped and random.random() < 0.5:
            fill = fill + random.normal(0, 0.15) * _wave(x, y, random)[..., None]
        picture[inside] = fill[inside]
    return picture.clip(0, 1)


def power_law_noise(random: np.random.Generator) -> np.ndarray:
    """Noise whose spectrum falls as one power of the frequency: (S, S)."""
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(SIDE), np.fft.fftfreq(SIDE)))
    frequency[0, 0] = 1 / SIDE
    white = random.standard_normal((SIDE, SIDE))
    return np.fft.ifft2(np.fft.fft2(white) / frequency ** random.uniform(0.0, 2.2)).real


def stripes(random: np.random.Generator) -> np.ndarray:
    """One to three gratings over one another, sharp or smooth: (S, S)."""
    y, x = np.mgrid[:SIDE, :SIDE]
    waves = [_wave(x, y, random) for _ in range(random.integers(1, 4))]
    return np.sum([np.sign(wave) if random.random() < 0.5 else wave for wave in waves], axis=0)


def cells(random: np.random.Generator) -> np.ndarray:
    """Voronoi cells, filled or as their walls: (S, S)."""
    y, x = np.mgrid[:SIDE, :SIDE]
    seeds = random.uniform(0, SIDE, (int(np.exp(random.uniform(2, 6))), 2))
    distance, nearest = cKDTree(seeds).query(np.stack([y, x], axis=-1).reshape(-1, 2), k=2)
    if random.random() < 0.5:
        return random.uniform(size=len(seeds))[nearest[:, 0]].reshape(SIDE, SIDE)
    return (distance[:, 1] - distance[:, 0]).reshape(SIDE, SIDE)


def soft_shapes(random: np.random.Generator) -> np.ndarray:
    """Blurred shapes that shine through one another, as in a projection: (S, S)."""
    y, x = np.mgrid[:SIDE, :SIDE]
    total = np.zeros((SIDE, SIDE))
    for _ in range(random.integers(3, 25)):
        inside = _shape(x, y, random.uniform(3, 45), random).astype(float)
        total += random.normal() * ndimage.gaussian_filter(inside, random.uniform(0.3, 6))
    return total


def _in_pieces(picture: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """The same picture, enlarged or reduced, with `count` by `count` pieces in any order."""
    side = ENLARGED // count
    square = np.asarray(Image.fromarray(picture).resize((count * side, count * side)))
    pieces = square.reshape(count, side, count, side, 3).swapaxes(1, 2).reshape(-1, side, side, 3)
    mixed = random.permutation(pieces).reshape(count, count, side, side, 3).swapaxes(1, 2)
    return np.ascontiguousarray(mixed.reshape(count * side, count * side, 3))


def _shape(x: np.ndarray, y: np.ndarray, radius: float, random: np.random.Generator) -> np.ndarray:
    (centre_x, centre_y), angle = random.uniform(0, SIDE, 2), random.uniform(0, np.pi)
    stretch = np.exp(random.normal(0, 0.5))
    along = ((x - centre_x) * np.cos(angle) + (y - centre_y) * np.sin(angle)) / stretch
    across = ((y - centre_y) * np.cos(angle) - (x - centre_x) * np.sin(angle)) * stretch
    if random.random() < 0.5:
        return along**2 + across**2 < radius**2
    return np.maximum(np.abs(along), np.abs(across)) < radius


def _wave(x: np.ndarray, y: np.ndarray, random: np.random.Generator) -> np.ndarray:
    angle, cycles, phase = random.uniform(0, np.pi), random.uniform(2, 50), random.uniform(0, 2 * np.pi)
    return np.sin(2 * np.pi * cycles * (x * np.cos(angle) + y * np.sin(angle)) / SIDE + phase)


def _toned(pattern: np.ndarray, random: np.random.Generator) -> np.ndarray:
    grey = (pattern - pattern.min()) / max(float(np.ptp(pattern)), 1e-6)
    return grey ** np.exp(random.normal(0, 0.5))
