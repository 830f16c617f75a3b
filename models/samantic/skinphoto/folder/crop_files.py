"""Crops and thumbnails as files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image, ImageDraw

from samantic.imaging import atomic_path
from samantic.skinphoto.crop_search import Crop

CROPS, THUMBNAILS = "crops", "thumbnails"
THUMBNAIL = 240
QUALITY = 95
LINE = (0, 230, 255)


def write_crops(out: Path, photograph: str, pixels: np.ndarray, crops: Sequence[Crop]) -> tuple[str, ...]:
    """Cut crops out of upright pixels (rows, cols, 3) and write them, and thumbnails; return the crops' paths.

    Crops of a JPEG are JPEGs, those of others PNGs; nothing of the camera's notes, such as place and time, goes along.
    """
    files = []
    for number, crop in enumerate(crops, start=1):
        cut = Image.fromarray(pixels[crop.top : crop.top + crop.side, crop.left : crop.left + crop.side])
        name = crop_name(photograph, number)
        _save(cut, out / name)
        _save(_small(cut), out / thumbnail_name(name))
        files.append(name)
    whole = _small(Image.fromarray(pixels))
    scale, draw = whole.width / pixels.shape[1], ImageDraw.Draw(whole)
    for crop in crops:
        box = [scale * edge for edge in (crop.left, crop.top, crop.left + crop.side, crop.top + crop.side)]
        draw.rectangle([box[0], box[1], max(box[0], box[2] - 1), max(box[1], box[3] - 1)], outline=LINE, width=2)
    _save(whole, out / thumbnail_name(photograph))
    return tuple(files)


def crop_name(photograph: str, number: int) -> str:
    """The path of a crop: the photograph's own with its suffix within, so that no two photographs share a name."""
    path = PurePosixPath(photograph)
    suffix = path.suffix[1:]
    kind = ".jpg" if suffix.lower() in ("jpg", "jpeg") else ".png"
    return str(PurePosixPath(CROPS, path.parent, f"{path.stem}_{suffix}_{number}{kind}"))


def thumbnail_name(name: str) -> str:
    """The path of the thumbnail of a crop or a photograph."""
    return f"{THUMBNAILS}/{name}.jpg"


def _small(picture: Image.Image) -> Image.Image:
    scale = THUMBNAIL / max(picture.size)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    return picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)


def _save(picture: Image.Image, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path, durable=False) as temporary:
        if path.suffix == ".jpg":
            picture.save(temporary, "JPEG", quality=QUALITY)
        else:
            picture.save(temporary, "PNG")
