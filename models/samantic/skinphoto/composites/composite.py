"""A made-up photograph of a person's skin, with what is skin and what is lesion in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from samantic.skinphoto.classes import BACKGROUND, LESION, SKIN
from samantic.skinphoto.composites.backgrounds import background
from samantic.skinphoto.composites.camera import photographed
from samantic.skinphoto.composites.covers import covered
from samantic.skinphoto.composites.lesions import LesionPatch, clinical_look, turned
from samantic.skinphoto.composites.outlines import body_part, nobody
from samantic.skinphoto.composites.skin import lit, skin, skin_tone, with_hairs
from samantic.skinphoto.composites.textures import Shape, edge, mixed

WITHOUT_PERSON, WITHOUT_LESION = 0.04, 0.1
SMALLEST, LARGEST = 0.05, 0.75
"""Diameter of a lesion, in units of the shorter side."""


@dataclass(frozen=True, eq=False)
class Composite:
    """`image` (rows, cols, 3) uint8; `labels` (rows, cols) uint8: background, skin, lesion; ids of the lesions."""

    image: np.ndarray
    labels: np.ndarray
    lesion_ids: tuple[str, ...]


def draw_composite(random: np.random.Generator, lesions: Sequence[LesionPatch], shape: Shape) -> Composite:
    """Draw one: the same generator state, lesions and shape give the same picture. Source: ours.

    ValueError: there are no lesions, or the picture would have less than 32 pixels along a side.
    """
    if not lesions:
        raise ValueError("There is no lesion to lay on the skin.")
    if min(shape) < 32:
        raise ValueError(f"A composite needs at least 32 pixels along each side, not {shape[0]}x{shape[1]}.")
    scene = background(random, shape)
    part = nobody(shape) if random.random() < WITHOUT_PERSON else body_part(random, shape)
    on_skin = part.depth > 0
    # The person darkens what is just behind.
    scene = scene * (1 - random.uniform(0, 0.5) * np.exp(np.minimum(part.depth, 0) / 0.05))[..., None]
    tone = skin_tone(random)
    surface, inside, used = _with_lesions(random, skin(random, shape, tone), on_skin, tone, lesions)
    surface = lit(random, surface, part)
    if random.random() < 0.35:
        surface = with_hairs(random, surface, on_skin)
    scene = mixed(scene, surface, edge(part.depth, random.uniform(0.004, 0.012)))
    scene, hidden = covered(random, scene, part.hair)
    labels = np.where(on_skin, np.where(inside, LESION, SKIN), BACKGROUND)
    return Composite(photographed(random, scene), np.where(hidden, BACKGROUND, labels).astype(np.uint8), used)


def _with_lesions(
    random: np.random.Generator,
    surface: np.ndarray,
    on_skin: np.ndarray,
    tone: np.ndarray,
    lesions: Sequence[LesionPatch],
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """The skin with some lesions, where they are (rows, cols) bool, and their ids."""
    inside = np.zeros(on_skin.shape, bool)
    places = np.flatnonzero(on_skin)
    if not len(places) or random.random() < WITHOUT_LESION:
        return surface, inside, ()
    short, used = min(on_skin.shape), []
    largest = min(LARGEST, 1.1 * np.sqrt(len(places)) / short)
    for _ in range(random.choice([1, 2, 3, 5], p=(0.6, 0.2, 0.12, 0.08))):
        patch = lesions[int(random.integers(len(lesions)))]
        diameter = short * float(np.exp(random.uniform(np.log(SMALLEST), np.log(max(largest, 2 * SMALLEST)))))
        ratio, alpha = turned(random, patch, diameter)
        look = clinical_look(random, ratio, alpha, tone)
        row, column = np.unravel_index(random.choice(places), on_skin.shape)
        window, of_patch = _overlap(on_skin.shape, alpha.shape, int(row), int(column))
        share = alpha[of_patch] * random.uniform(0.85, 1.0)
        surface[window] *= 1 + (look[of_patch] - 1) * share[..., None]
        inside[window] |= alpha[of_patch] > 0.5
        used.append(patch.image_id)
    return surface, inside & on_skin, tuple(used)


def _overlap(
    shape: tuple[int, ...], patch: tuple[int, ...], row: int, column: int
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Where a patch with its middle at (row, column) lies in a picture, and which part of it does."""
    of_picture, of_patch = [], []
    for length, size, middle in zip(shape, patch, (row, column), strict=True):
        start = middle - size // 2
        low, high = max(start, 0), min(start + size, length)
        of_picture.append(slice(low, high))
        of_patch.append(slice(low - start, high - start))
    return (of_picture[0], of_picture[1]), (of_patch[0], of_patch[1])
