"""Pictures of predictions beside the truth, to be looked at before a number is believed."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from samantic.imaging import atomic_path, overlay

TILE = 300
CAPTION = 40
TRUTH_COLOUR = (255, 255, 255)
PREDICTED_COLOUR = (255, 190, 0)
PROMPT_COLOUR = (0, 230, 255)


@dataclass(frozen=True, eq=False)
class SheetTile:
    """One picture (rows, cols, 3) uint8 with truth and predicted mask, the prompt that led to it, and a caption."""

    image: np.ndarray
    truth: np.ndarray
    predicted: np.ndarray
    caption: str
    spacing_yx_mm: tuple[float, float] = (1.0, 1.0)
    click_xy: tuple[float, float] | None = None
    box_xyxy: tuple[float, float, float, float] | None = None


def write_contact_sheet(path: Path, rows: Sequence[tuple[str, Sequence[SheetTile]]]) -> None:
    """Write a PNG, atomically: one titled row of tiles each; truth in white, prediction in amber, prompt in cyan."""
    columns = max(len(tiles) for _, tiles in rows)
    height = TILE + CAPTION
    sheet = Image.new("RGB", (columns * TILE, len(rows) * (height + CAPTION)), (24, 24, 28))
    draw = ImageDraw.Draw(sheet)
    title_font, caption_font = ImageFont.load_default(20), ImageFont.load_default(15)
    for row, (title, tiles) in enumerate(rows):
        top = row * (height + CAPTION)
        draw.text((8, top + 9), title, fill=(255, 255, 255), font=title_font)
        for column, tile in enumerate(tiles):
            sheet.paste(_painted(tile), (column * TILE, top + CAPTION))
            draw.text(
                (column * TILE + 8, top + CAPTION + TILE + 8), tile.caption, fill=(220, 220, 220), font=caption_font
            )
    with atomic_path(path) as temporary:
        sheet.save(temporary, "PNG", optimize=True)


def tile_png(tile: SheetTile) -> bytes:
    """Return one tile as a PNG, (TILE, TILE) pixels, without its caption."""
    stream = io.BytesIO()
    _painted(tile).save(stream, "PNG", optimize=True)
    return stream.getvalue()


def _painted(tile: SheetTile) -> Image.Image:
    labels = tile.predicted.astype(np.uint8)
    canvas = overlay(tile.image, labels, {1: PREDICTED_COLOUR}, tile.spacing_yx_mm)
    # The truth goes on top as a thin line, where a tint would hide the prediction.
    enlarged = Image.fromarray(tile.truth.astype(np.uint8)).resize((canvas.shape[1], canvas.shape[0]))
    truth = np.asarray(enlarged) > 0
    inner = truth.copy()
    inner[1:-1, 1:-1] = truth[:-2, 1:-1] & truth[2:, 1:-1] & truth[1:-1, :-2] & truth[1:-1, 2:]
    inner = inner & np.roll(inner, 1, 0) & np.roll(inner, 1, 1)
    canvas[truth & ~inner] = TRUTH_COLOUR
    picture = Image.fromarray(canvas)
    scale = (canvas.shape[1] / tile.image.shape[1], canvas.shape[0] / tile.image.shape[0])
    draw = ImageDraw.Draw(picture)
    if tile.box_xyxy is not None:
        draw.rectangle([edge * scale[i % 2] for i, edge in enumerate(tile.box_xyxy)], outline=PROMPT_COLOUR, width=3)
    if tile.click_xy is not None:
        x, y = ((value + 0.5) * factor for value, factor in zip(tile.click_xy, scale, strict=True))
        draw.ellipse([x - 7, y - 7, x + 7, y + 7], fill=PROMPT_COLOUR, outline=(0, 0, 0))
    return _fitted(picture)


def _fitted(picture: Image.Image) -> Image.Image:
    scale = TILE / max(picture.size)
    small = picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.LANCZOS)
    tile = Image.new("RGB", (TILE, TILE), (24, 24, 28))
    tile.paste(small, ((TILE - small.width) // 2, (TILE - small.height) // 2))
    return tile
