"""A picture of a mask: tint and contour over the image."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from samantic.imaging.atomic import atomic_path
from samantic.imaging.errors import ImageWriteError

SMALLEST_SIDE = 512
TINT = 0.3
CONTOUR_SHARE = 1 / 256  # of the longer side: two pixels at 512


def overlay_png(
    path: Path | str,
    image_uint8: np.ndarray,
    mask: np.ndarray,
    colours: Mapping[int, tuple[int, int, int]],
    spacing_yx_mm: tuple[float, float] = (1.0, 1.0),
) -> None:
    """Writes the picture that `overlay` paints as PNG, atomically. Source: ours."""
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise ImageWriteError(f"an overlay is a .png, not '{path.name}'")
    picture = Image.fromarray(overlay(image_uint8, mask, colours, spacing_yx_mm))
    with atomic_path(path) as temporary:
        picture.save(temporary, "PNG")


def overlay(
    image_uint8: np.ndarray,
    mask: np.ndarray,
    colours: Mapping[int, tuple[int, int, int]],
    spacing_yx_mm: tuple[float, float] = (1.0, 1.0),
) -> np.ndarray:
    """Paints every label of a mask over an image: a light tint inside and a smooth contour.

    image_uint8: (H, W, 3). mask: (H, W) labels, 0 is none. colours: RGB per label; a label without one stays unpainted.
    spacing_yx_mm: millimetres per row and column; pixels of unequal sides are stretched to true proportions.
    Returns (H', W', 3) uint8; small images are enlarged, each pixel staying visible as a block, until the longer side
    has at least 512 pixels. Raises ImageWriteError if shapes do not fit. Source: ours.
    """
    if image_uint8.dtype != np.uint8 or image_uint8.ndim != 3 or image_uint8.shape[2] != 3:
        raise ImageWriteError(f"an overlay needs an (H, W, 3) uint8 image, not {image_uint8.shape} {image_uint8.dtype}")
    if mask.shape != image_uint8.shape[:2]:
        raise ImageWriteError(f"the mask is {mask.shape}, the image {image_uint8.shape[:2]}")
    size = _enlarged_size(mask.shape, spacing_yx_mm)
    canvas = np.asarray(Image.fromarray(image_uint8).resize(size, Image.Resampling.NEAREST), dtype=np.float32)
    half_width = max(size) * CONTOUR_SHARE / 2
    for label, colour in colours.items():
        if label and (mask == label).any():
            canvas = _painted(canvas, mask == label, np.array(colour, dtype=np.float32), half_width)
    return np.rint(canvas).astype(np.uint8)


def _enlarged_size(shape: tuple[int, ...], spacing_yx_mm: tuple[float, float]) -> tuple[int, int]:
    smallest = min(spacing_yx_mm)
    height, width = (count * spacing / smallest for count, spacing in zip(shape, spacing_yx_mm, strict=True))
    factor = int(np.ceil(max(1.0, SMALLEST_SIDE / max(height, width))))
    return round(width * factor), round(height * factor)


def _painted(canvas: np.ndarray, region: np.ndarray, colour: np.ndarray, half_width: float) -> np.ndarray:
    size = canvas.shape[1], canvas.shape[0]
    inside = _with_thin_parts(_smooth(region, size), region, size)
    # Near 0.5 the smoothed mask falls linearly, so its distance from 0.5 over its slope is the distance to the border.
    slope = np.hypot(*np.gradient(inside)) + 1e-6
    distance = np.abs(inside - 0.5) / slope
    contour = np.clip(half_width + 0.5 - distance, 0, 1) * (slope > 1e-3)
    tinted = canvas + (colour - canvas) * (TINT * (inside >= 0.5))[..., np.newaxis]
    return tinted + (colour - tinted) * contour[..., np.newaxis]


def _with_thin_parts(inside: np.ndarray, region: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    # Smoothing wipes out what is one pixel wide; such pixels come back as the blocks they are.
    rows = ((np.arange(region.shape[0]) + 0.5) * size[1] / region.shape[0]).astype(int)
    columns = ((np.arange(region.shape[1]) + 0.5) * size[0] / region.shape[1]).astype(int)
    lost = region & (inside[np.ix_(rows, columns)] < 0.5)
    if not lost.any():
        return inside
    blocks = Image.fromarray(lost.astype(np.uint8)).resize(size, Image.Resampling.NEAREST)
    return np.maximum(inside, np.asarray(blocks, dtype=np.float32))


def _smooth(region: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    scale = max(size[0] / region.shape[1], size[1] / region.shape[0])
    # Padded, so that a region at the picture's edge is not closed by a contour there, nor shifted by the blur.
    padded = np.pad(region, 2, mode="edge").astype(np.uint8) * 255
    border_x, border_y = round(2 * size[0] / region.shape[1]), round(2 * size[1] / region.shape[0])
    enlarged = Image.fromarray(padded).resize(
        (size[0] + 2 * border_x, size[1] + 2 * border_y), Image.Resampling.BILINEAR
    )
    blurred = np.asarray(enlarged.filter(ImageFilter.GaussianBlur(0.5 * max(scale, 1.5))), dtype=np.float32) / 255
    return blurred[border_y : border_y + size[1], border_x : border_x + size[0]]
