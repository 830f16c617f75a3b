"""Photographs as a person sees them: in colour, eight bits, turned as the camera noted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from samantic.imaging.photographs import FORMATS, read_photograph

ORIENTATION = 0x0112
"""EXIF tag."""


def read_upright(path: Path) -> np.ndarray:
    """Read a PNG, JPEG or BMP as (rows, cols, 3) uint8, turned and mirrored as its EXIF orientation says.

    Pictures without colour get three equal channels; 16-bit ones keep their upper eight bits. Raises ImageReadError
    for damaged files and for more pixels than `samantic.imaging` reads. Source: ours.
    """
    pixels = np.swapaxes(read_photograph(path).array[:, :, 0], 0, 1)
    if pixels.dtype != np.uint8:
        pixels = (pixels.astype(np.int64).clip(0, 65535) >> 8).astype(np.uint8)
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    return np.ascontiguousarray(_turned(pixels, _orientation(path)))


def _orientation(path: Path) -> int:
    try:
        with Image.open(path, formats=FORMATS) as image:
            return int(image.getexif().get(ORIENTATION, 1))
    except Exception:  # what a camera noted may be damaged in many ways; the pixels were read whole
        return 1


def _turned(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Undo what an EXIF orientation (1 to 8) says; others are taken for 1."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels
