"""PNG, JPEG and BMP as images of one slice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from samantic.imaging.errors import ImageReadError
from samantic.imaging.raw_image import LPS_TO_RAS, RawImage

FORMATS = ("PNG", "JPEG", "BMP")
MAX_PIXELS = 178_956_970  # Pillow's own limit for a decompression bomb


def read_photograph(path: Path) -> RawImage:
    """Reads a PNG, JPEG or BMP as (W, H, 1) or (W, H, 1, 3); EXIF rotation is ignored: pixels keep their indices.

    Transparent pixels are laid over white, palettes and CMYK become RGB, 16-bit gray stays 16-bit, and colour whose
    channels are equal everywhere becomes gray. Raises ImageReadError for absurd sizes and damaged files. Source: ours.
    """
    pixels = _pixels(_decoded(path))
    if pixels.ndim == 3 and (pixels[..., :1] == pixels).all():
        pixels = pixels[..., 0]
    return RawImage(np.swapaxes(pixels, 0, 1)[:, :, np.newaxis], LPS_TO_RAS)


def read_label_picture(path: Path) -> RawImage:
    """Reads a PNG or BMP of label values: gray levels, or palette indices, exactly as stored, (W, H, 1).

    Raises ImageReadError for coloured pictures, absurd sizes and damaged files. Source: ours.
    """
    with path.open("rb") as file:
        if file.read(3) == b"\xff\xd8\xff":
            raise ImageReadError(f"'{path.name}' is a JPEG, which changes label values; save the mask as PNG")
    pixels = np.asarray(_decoded(path))
    if pixels.ndim == 3:
        colours = pixels[..., :3] if pixels.shape[2] >= 3 else pixels[..., :1]
        if not (colours == pixels[..., :1]).all():
            raise ImageReadError(f"'{path.name}' is in colour; a mask is a gray PNG whose gray levels are the labels")
        pixels = pixels[..., 0]
    pixels = pixels.astype(np.uint8) if pixels.dtype == bool else pixels
    return RawImage(pixels.T[:, :, np.newaxis], LPS_TO_RAS)


def _decoded(path: Path) -> Image.Image:
    try:
        with Image.open(path, formats=FORMATS) as image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise Image.DecompressionBombError
            image.load()
            return image
    except Image.DecompressionBombError as error:
        raise ImageReadError(f"'{path.name}' claims to be a picture of more than {MAX_PIXELS} pixels") from error
    except Exception as error:  # Pillow raises many kinds on damaged files
        raise ImageReadError(f"'{path.name}' is not a whole PNG, JPEG or BMP picture") from error


def _pixels(image: Image.Image) -> np.ndarray:
    if image.mode.startswith("I;16"):
        return np.asarray(image).astype(np.uint16)
    if image.mode == "I":
        return np.asarray(image)
    if image.mode == "1":
        return np.asarray(image.convert("L"))
    if image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        layer = image.convert("RGBA")
        return np.asarray(Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer))[..., :3]
    return np.asarray(image if image.mode in ("L", "RGB") else image.convert("RGB"))
