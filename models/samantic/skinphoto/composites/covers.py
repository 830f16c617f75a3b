"""What lies over the skin: sleeves, waistbands, sheets, a head of hair, a ruler."""

from __future__ import annotations

import numpy as np

from samantic.skinphoto.composites.backgrounds import cloth
from samantic.skinphoto.composites.textures import Shape, edge, grid, mixed, smooth_noise


def covered(random: np.random.Generator, picture: np.ndarray, hair: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Lay covers over a picture (rows, cols, 3); the second result (rows, cols) bool says where they are.

    `hair` (rows, cols) is a head of hair, positive inside. Source: ours.
    """
    shape = (picture.shape[0], picture.shape[1])
    hidden = np.zeros(shape, bool)
    if hair is not None:
        picture, over = _head_of_hair(random, picture, hair), hair > 0
        hidden |= over
    for _ in range(random.choice(3, p=(0.55, 0.33, 0.12))):
        inside = _half_plane(random, shape)
        shade = 1 - random.uniform(0, 0.5) * np.exp(np.minimum(inside, 0) / random.uniform(0.01, 0.05))
        picture = mixed(picture * shade[..., None], cloth(random, shape), edge(inside, random.uniform(0.004, 0.015)))
        hidden |= inside > 0
    if random.random() < 0.08:
        inside, strip = _ruler(random, shape)
        picture = mixed(picture, strip, edge(inside, 0.006))
        hidden |= inside > 0
    return picture, hidden


def _half_plane(random: np.random.Generator, shape: Shape) -> np.ndarray:
    """A cloth that comes in from one side."""
    y, x = grid(shape)
    angle = random.uniform(0, 2 * np.pi)
    wave = random.uniform(0.005, 0.05) * smooth_noise(random, shape, random.uniform(2, 6))
    reach = 0.5 * (abs(np.cos(angle)) * shape[1] + abs(np.sin(angle)) * shape[0]) / min(shape)
    return np.cos(angle) * x + np.sin(angle) * y - (reach - random.uniform(0.05, 0.45)) + wave


def _head_of_hair(random: np.random.Generator, picture: np.ndarray, inside: np.ndarray) -> np.ndarray:
    shape = (picture.shape[0], picture.shape[1])
    grey = random.choice([random.uniform(0.03, 0.2), random.uniform(0.2, 0.8)])
    tone = grey * np.array([1.0, random.uniform(0.65, 1.0), random.uniform(0.35, 1.0)], np.float32)
    strands = smooth_noise(random, shape, 70, random.choice([14.0, 1 / 14.0]))
    light = 1 + 0.35 * strands + 0.25 * smooth_noise(random, shape, 4)
    return mixed(picture, tone * light.clip(0.2, 2)[..., None], edge(inside, 0.03))


def _ruler(random: np.random.Generator, shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    y, x = grid(shape)
    angle, away = random.uniform(0, np.pi), random.uniform(-0.4, 0.4)
    u, v = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x - away
    inside = random.uniform(0.03, 0.07) - np.abs(v)
    ticks = (np.abs(np.sin(np.pi * u / random.uniform(0.02, 0.05))) < 0.2) & (v > 0)
    paper = np.where(ticks[..., None], 0.1, random.uniform(0.75, 0.98)).astype(np.float32)
    return inside, np.broadcast_to(paper, (*shape, 3))
