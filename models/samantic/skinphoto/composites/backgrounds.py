"""What lies behind a person: walls, floors, sheets, wood, tiles, clutter."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from samantic.skinphoto.composites.textures import Shape, cloudy, colour, edge, grid, mixed, smooth_noise, stripes

SKINLIKE = 0.25
"""Share of the backgrounds in colours near those of skin, as wood, walls and leather have: hue alone must not do."""


def background(random: np.random.Generator, shape: Shape) -> np.ndarray:
    """A background (rows, cols, 3) float32, about 0 to 1. Source: ours."""
    first = surface(random, shape)
    if random.random() < 0.45:
        # Two surfaces that meet: a wall and a floor, a sheet and a couch.
        y, x = grid(shape)
        angle = random.uniform(0, 2 * np.pi)
        bend = 0.02 * smooth_noise(random, shape, 2) * (random.random() < 0.5)
        border = np.cos(angle) * x + np.sin(angle) * y - random.uniform(-0.4, 0.4) + bend
        first = mixed(first, surface(random, shape), edge(border, random.uniform(0.005, 0.05)))
        if random.random() < 0.5:
            first = first * (1 - 0.35 * np.exp(-np.abs(border) / random.uniform(0.01, 0.08)))[..., None]
    if random.random() < 0.4:
        first = _cluttered(random, first)
    return first


def surface(random: np.random.Generator, shape: Shape) -> np.ndarray:
    """One material all over (rows, cols, 3)."""
    kinds: tuple[Callable[[np.random.Generator, Shape], np.ndarray], ...] = (_wall, _cloth, _wood, _tiles, _mottled)
    return kinds[random.choice(len(kinds), p=(0.32, 0.28, 0.14, 0.1, 0.16))](random, shape)


def cloth(random: np.random.Generator, shape: Shape) -> np.ndarray:
    """A fabric with folds, plain, striped, checked or printed (rows, cols, 3)."""
    return _cloth(random, shape)


def _any_colour(random: np.random.Generator) -> np.ndarray:
    if random.random() < SKINLIKE:
        light = random.uniform(0.25, 0.95)
        return (light * np.array([1.0, random.uniform(0.68, 0.88), random.uniform(0.45, 0.8)])).astype(np.float32)
    if random.random() < 0.12:
        # The green and blue of drapes and gloves.
        return np.array([random.uniform(0, 0.3), random.uniform(0.3, 0.7), random.uniform(0.35, 0.8)], np.float32)
    return colour(random)


def _flat(base: np.ndarray, light: np.ndarray) -> np.ndarray:
    return base * (1 + light[..., None])


def _wall(random: np.random.Generator, shape: Shape) -> np.ndarray:
    y, x = grid(shape)
    angle, slope = random.uniform(0, 2 * np.pi), random.uniform(0, 0.5)
    light = slope * (np.cos(angle) * x + np.sin(angle) * y)
    light = light + random.uniform(0, 0.04) * smooth_noise(random, shape, random.uniform(20, 120))
    return _flat(_any_colour(random), light + random.uniform(0, 0.08) * smooth_noise(random, shape, 3))


def _cloth(random: np.random.Generator, shape: Shape) -> np.ndarray:
    folds = random.uniform(0.03, 0.2) * cloudy(random, shape, random.uniform(1.5, 5), 2)
    weave = random.uniform(0, 0.1) * stripes(random, shape, random.uniform(0.012, 0.03), 0.01)
    picture = np.broadcast_to(_any_colour(random), (*shape, 3))
    pattern = random.random()
    if pattern < 0.3:
        share = edge(stripes(random, shape, random.uniform(0.04, 0.3)), random.uniform(0.1, 1.5))
        picture = mixed(picture, _any_colour(random), share)
    elif pattern < 0.45:
        first, second = (stripes(random, shape, random.uniform(0.05, 0.25), 0.01) for _ in range(2))
        picture = mixed(picture, _any_colour(random), 0.5 * edge(first, 0.4) + 0.5 * edge(second, 0.4))
    elif pattern < 0.6:
        spots = edge(smooth_noise(random, shape, random.uniform(6, 25)) - random.uniform(0.3, 1.2), 0.3)
        picture = mixed(picture, _any_colour(random), spots)
    return _flat(picture, folds + weave)


def _wood(random: np.random.Generator, shape: Shape) -> np.ndarray:
    light = random.uniform(0.2, 0.8)
    tone = (light * np.array([1.0, random.uniform(0.62, 0.82), random.uniform(0.3, 0.6)])).astype(np.float32)
    stretch = random.choice([12.0, 1 / 12.0])
    grain = smooth_noise(random, shape, random.uniform(15, 50), stretch)
    rings = np.sin(random.uniform(4, 12) * smooth_noise(random, shape, 2, stretch**0.5))
    return _flat(tone, 0.08 * grain + random.uniform(0.02, 0.1) * rings)


def _tiles(random: np.random.Generator, shape: Shape) -> np.ndarray:
    y, x = grid(shape)
    side, angle = random.uniform(0.08, 0.4), random.uniform(-0.3, 0.3)
    u = np.cos(angle) * x + np.sin(angle) * y + random.uniform(0, side)
    v = np.cos(angle) * y - np.sin(angle) * x + random.uniform(0, side)
    gap = np.minimum(np.abs(u / side - np.rint(u / side)), np.abs(v / side - np.rint(v / side))) * side
    picture = _flat(_any_colour(random), 0.04 * smooth_noise(random, shape, 6))
    return mixed(picture, _any_colour(random), 1 - edge(gap - random.uniform(0.003, 0.01), 0.006))


def _mottled(random: np.random.Generator, shape: Shape) -> np.ndarray:
    share = edge(cloudy(random, shape, random.uniform(2, 30)), random.uniform(0.3, 2.5))
    return mixed(np.broadcast_to(_any_colour(random), (*shape, 3)), _any_colour(random), share)


def _cluttered(random: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    """Boxes and discs: furniture, lamps, instruments."""
    y, x = grid((picture.shape[0], picture.shape[1]))
    for _ in range(random.integers(1, 7)):
        cy, cx = random.uniform(-0.6, 0.6, 2)
        angle, (a, b) = random.uniform(0, np.pi), random.uniform(0.02, 0.3, 2)
        u = np.cos(angle) * (x - cx) + np.sin(angle) * (y - cy)
        v = np.cos(angle) * (y - cy) - np.sin(angle) * (x - cx)
        if random.random() < 0.5:
            inside = np.minimum(a - np.abs(u), b - np.abs(v))
        else:
            inside = (1 - np.sqrt((u / a) ** 2 + (v / b) ** 2)) * min(a, b)
        tone = _any_colour(random) * (1 + random.uniform(-0.3, 0.3) * (u / a).clip(-1, 1))[..., None]
        picture = mixed(picture, tone, edge(inside, random.uniform(0.004, 0.02)))
    return picture
