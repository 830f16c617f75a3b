"""Skin of any tone: mottled, lined, with pores, freckles and hairs, bent away from the light."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from samantic.skinphoto.composites.outlines import BodyPart
from samantic.skinphoto.composites.textures import Shape, cloudy, edge, grid, mixed, smooth_noise, stripes

TONES = (
    (246, 237, 228), (243, 231, 219), (247, 234, 208), (234, 218, 186), (215, 189, 150),
    (160, 126, 86), (130, 92, 67), (96, 65, 52), (58, 49, 42), (41, 36, 32),
)  # fmt: skip
"""The ten tones of the Monk Skin Tone Scale (2022), from very light to very dark."""


def skin_tone(random: np.random.Generator) -> np.ndarray:
    """A tone (3,) float32, any part of the scale as likely as any other."""
    place = random.uniform(0, len(TONES) - 1)
    low = min(int(place), len(TONES) - 2)
    tone = np.array(TONES[low]) + (place - low) * (np.array(TONES[low + 1]) - np.array(TONES[low]))
    # The scale's colours are those of chips; blood makes living skin redder.
    warm = np.array([1.0, random.uniform(0.84, 1.0), random.uniform(0.76, 0.98)])
    return (tone / 255 * warm * random.normal(1, 0.03, 3)).clip(0.03, 0.98).astype(np.float32)


def skin(random: np.random.Generator, shape: Shape, tone: np.ndarray) -> np.ndarray:
    """Evenly lit skin (rows, cols, 3) float32. Source: ours."""
    lightness = random.uniform(0.01, 0.06) * cloudy(random, shape, random.uniform(1.5, 5))
    lightness = lightness + random.uniform(0.005, 0.04) * smooth_noise(random, shape, random.uniform(60, 200))
    if random.random() < 0.5:
        lines = np.maximum(stripes(random, shape, random.uniform(0.02, 0.12), random.uniform(0.02, 0.1)), 0.4) - 0.4
        lightness = lightness - random.uniform(0, 0.12) * lines
    blood = random.uniform(0.01, 0.05) * cloudy(random, shape, random.uniform(2, 8), 2)
    picture = tone * (1 + lightness[..., None] + blood[..., None] * np.array([0.3, -1, -0.7], np.float32))
    if random.random() < 0.3:
        spots = edge(smooth_noise(random, shape, random.uniform(25, 60)) - random.uniform(1.4, 2.2), 0.5)
        picture = picture * (1 - random.uniform(0.03, 0.14) * spots)[..., None]
    return picture.astype(np.float32)


def lit(random: np.random.Generator, picture: np.ndarray, part: BodyPart) -> np.ndarray:
    """The skin of a rounded part in the light of a room; oily or damp skin shines."""
    shape = part.depth.shape
    y, x = grid((shape[0], shape[1]))
    angle, ambient = random.uniform(0, 2 * np.pi), random.uniform(0.35, 0.85)
    side = 1 + random.uniform(0, 0.35) * (np.cos(angle) * x + np.sin(angle) * y)
    light = (ambient + (1 - ambient) * part.facing) * side
    picture = picture * light[..., None]
    if random.random() < 0.35:
        shine = np.exp(-((1 - part.facing * side) ** 2) / random.uniform(0.005, 0.05))
        rough = np.clip(1 + 0.3 * smooth_noise(random, (shape[0], shape[1]), 40), 0, 2)
        picture = mixed(picture, np.ones(3, np.float32), random.uniform(0.02, 0.2) * shine * rough)
    return picture


def with_hairs(random: np.random.Generator, picture: np.ndarray, on_skin: np.ndarray) -> np.ndarray:
    """Hairs drawn across the skin, from a few to many, all leaning about the same way; they count as skin."""
    rows, columns = picture.shape[:2]
    short, scale = min(rows, columns), 2
    sheet = Image.new("L", (columns * scale, rows * scale))
    draw = ImageDraw.Draw(sheet)
    lean, length = random.uniform(0, 2 * np.pi), random.uniform(0.05, 0.3) * short * scale
    width = max(1, round(scale * random.uniform(0.002, 0.006) * short))
    for _ in range(int(random.choice([8, 30, 90]) * random.uniform(0.5, 1.5))):
        point = random.uniform(0, 1, 2) * (columns * scale, rows * scale)
        angle, bend = lean + random.normal(0, 0.5), random.normal(0, 0.25)
        line = [tuple(point)]
        for _ in range(3):
            point = point + length / 3 * np.array([np.cos(angle), np.sin(angle)])
            angle += bend
            line.append(tuple(point))
        draw.line(line, fill=int(random.uniform(120, 255)), width=width)
    small = sheet.resize((columns, rows), Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(0.3))
    share = np.asarray(small, np.float32) / 255 * random.uniform(0.3, 0.9) * on_skin
    grey = random.uniform(0.02, 0.35)
    return mixed(picture, np.array([grey * 1.15, grey, grey * 0.85], np.float32), share)
