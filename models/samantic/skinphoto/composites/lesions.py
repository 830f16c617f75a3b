"""Lesions cut out of dermoscopic photographs, to be laid on any skin."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter
from scipy import ndimage

from samantic.datasets.labelled_view import LabelledView
from samantic.skinphoto.composites.textures import smooth_noise

PATCH = 112
"""Longer side of a patch that is kept, in pixels."""

GREYEST = 128
"""What stands for a ratio of 1 in 8 bits."""


@dataclass(frozen=True, eq=False)
class LesionPatch:
    """A lesion without the skin around it.

    `ratio` (h, w, 3) uint8: the colour over that of the skin beside it, 128 for the same; `alpha` (h, w) uint8: 255
    where it is lesion.
    """

    image_id: str
    ratio: np.ndarray
    alpha: np.ndarray


def lesion_patches(views: Iterable[LabelledView]) -> list[LesionPatch]:
    """Cut the lesions out of labelled photographs; those that a photograph does not show as a whole are left out."""
    return [patch for view in views if (patch := lesion_patch(view)) is not None]


def lesion_patch(view: LabelledView) -> LesionPatch | None:
    """Cut out the largest lesion of a photograph; None where the picture cuts it, or leaves no skin beside it.

    Source: ours.
    """
    mask = view.labels > 0
    parts, count = ndimage.label(mask)
    if not count:
        return None
    sizes = np.bincount(parts.ravel())[1:]
    largest = int(sizes.argmax()) + 1
    mask = parts == largest
    rim = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    if mask.mean() > 0.7 or mask.sum() < 200 or rim.sum() > 0.1 * np.sqrt(mask.sum()):
        return None
    beside = ndimage.binary_dilation(mask, iterations=14) & ~ndimage.binary_dilation(parts > 0, iterations=4)
    # The black corners of a dermatoscope are no skin.
    beside &= view.image.max(axis=2) > 60
    if beside.sum() < 100:
        return None
    skin = np.median(view.image[beside], axis=0).clip(40, None)
    rows, columns = ndimage.find_objects(mask.astype(np.uint8))[0]
    top, bottom = max(rows.start - 3, 0), rows.stop + 3
    left, right = max(columns.start - 3, 0), columns.stop + 3
    ratio = (view.image[top:bottom, left:right] / skin * GREYEST).clip(0, 255).astype(np.uint8)
    alpha = mask[top:bottom, left:right].astype(np.uint8) * 255
    scale = min(1.0, PATCH / max(alpha.shape))
    size = (max(1, round(alpha.shape[1] * scale)), max(1, round(alpha.shape[0] * scale)))
    return LesionPatch(
        view.image_id,
        np.asarray(Image.fromarray(ratio).resize(size, Image.Resampling.BOX)),
        np.asarray(Image.fromarray(alpha).resize(size, Image.Resampling.BOX)),
    )


def turned(random: np.random.Generator, patch: LesionPatch, diameter: float) -> tuple[np.ndarray, np.ndarray]:
    """The patch mirrored, turned and about `diameter` pixels wide: ratio (h, w, 3) around 1 and alpha (h, w) 0 to 1."""
    layers = Image.fromarray(np.dstack([patch.ratio, patch.alpha]), "RGBA")
    if random.random() < 0.5:
        layers = layers.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    scale, aspect = diameter / max(layers.size), random.uniform(0.8, 1.25) ** 0.5
    size = [
        max(3, round(side * scale * factor)) for side, factor in zip(layers.size, (aspect, 1 / aspect), strict=True)
    ]
    # Not as RGBA: Pillow would turn the colours of transparent pixels to black.
    colours = layers.convert("RGB").resize((size[0], size[1]), Image.Resampling.BICUBIC)
    alpha = layers.getchannel("A").resize((size[0], size[1]), Image.Resampling.BICUBIC)
    angle, grey = random.uniform(0, 360), (GREYEST,) * 3
    colours = colours.rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=grey)
    alpha = alpha.rotate(angle, Image.Resampling.BICUBIC, expand=True)
    soft = alpha.filter(ImageFilter.GaussianBlur(float(random.uniform(0.005, 0.03) * diameter)))
    return np.asarray(colours, np.float32) / GREYEST, np.asarray(soft, np.float32) / 255


def clinical_look(random: np.random.Generator, ratio: np.ndarray, alpha: np.ndarray, tone: np.ndarray) -> np.ndarray:
    """Change the colours of a lesion (h, w, 3) to those of some kind of disease on skin of a tone (3,).

    Brown, red, dark or, on darker skin, pale; the pattern stays. Always told from the skin, as a lesion is that
    somebody takes a photograph of: a dermatoscope shows more than that, and its outlines are often generous.
    """
    inside = alpha > 0.5
    middle = np.median(ratio[inside], axis=0) if inside.any() else np.ones(3, np.float32)
    pattern = (ratio / middle.clip(0.05, None)) ** random.uniform(0.5, 1.0)
    dark_skin = float(tone.mean()) < 0.4
    kind = random.choice(4, p=(0.45, 0.33, 0.1, 0.12) if dark_skin else (0.45, 0.4, 0.15, 0.0))
    if kind == 0:
        target = middle * min(1.0, random.uniform(0.6, 0.85) / float(middle.mean()))
    elif kind == 1:
        target = np.array([random.uniform(0.85, 1.05), random.uniform(0.5, 0.8), random.uniform(0.5, 0.85)])
        target = target * (random.uniform(0.6, 0.9) if dark_skin else 1.0)
    elif kind == 2:
        target = np.full(3, random.uniform(0.25, 0.55))
    else:
        target = np.array([1.5, 1.55, 1.6]) * random.uniform(0.9, 1.3)
    # Without a bright rim, which the skin that a generous outline takes in would be.
    look = np.maximum(pattern * target, 1.12) if kind == 3 else np.minimum(pattern * target, np.maximum(target, 0.92))
    if kind == 1 and random.random() < 0.4:
        # Scales and crusts.
        flakes = np.clip(smooth_noise(random, (ratio.shape[0], ratio.shape[1]), 9) - 0.5, 0, 1)
        white = np.array([0.95, 0.9, 0.8], np.float32) / tone.clip(0.05, None)
        look = look + (white - look) * (flakes * random.uniform(0.1, 0.6))[..., None]
    return look.astype(np.float32)
