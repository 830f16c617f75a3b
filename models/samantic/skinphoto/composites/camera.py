"""From what is before a camera to a photograph: lamp, exposure, focus, noise, compression."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageFilter

from samantic.skinphoto.composites.textures import edge, grid, smooth_noise


def photographed(random: np.random.Generator, scene: np.ndarray) -> np.ndarray:
    """A scene (rows, cols, 3) float32, about 0 to 1 -> a photograph (rows, cols, 3) uint8. Source: ours."""
    shape = (scene.shape[0], scene.shape[1])
    y, x = grid(shape)
    warmth = random.normal(0, 0.1)
    lamp = np.array([1 + warmth, 1 + random.normal(0, 0.03), 1 - warmth], np.float32)
    cy, cx = random.uniform(-0.5, 0.5, 2)
    light = 1 - random.uniform(0, 0.5) * ((y - cy) ** 2 + (x - cx) ** 2)
    if random.random() < 0.2:
        # Somebody stands in the light.
        angle = random.uniform(0, 2 * np.pi)
        border = np.cos(angle) * x + np.sin(angle) * y - random.uniform(-0.3, 0.4)
        border = border + 0.05 * smooth_noise(random, shape, 3)
        light = light * (1 - random.uniform(0.1, 0.5) * edge(border, random.uniform(0.02, 0.3)))
    scene = scene.clip(0, None) * lamp * light.clip(0.15, None)[..., None]
    # The camera's automatic exposure, which does most of what is needed.
    scene = scene * (random.uniform(0.3, 0.6) / max(float(scene.mean()), 0.02)) ** random.uniform(0.3, 0.9)
    scene = scene.clip(0, 1) ** np.exp(random.normal(0, 0.15))
    photograph = Image.fromarray((255 * scene + 0.5).astype(np.uint8))
    if random.random() < 0.4:
        photograph = photograph.filter(ImageFilter.GaussianBlur(float(random.uniform(0.2, 1.2)) * min(shape) / 256))
    pixels = np.asarray(photograph)
    if random.random() < 0.6:
        grain = random.uniform(1, 7) * random.standard_normal(pixels.shape, dtype=np.float32)
        pixels = (pixels + grain).clip(0, 255).astype(np.uint8)
    if random.random() < 0.4:
        with io.BytesIO() as file:
            Image.fromarray(pixels).save(file, "JPEG", quality=int(random.uniform(40, 95)))
            pixels = np.asarray(Image.open(file))
    return pixels
