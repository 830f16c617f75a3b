"""Where a second look goes: the part of the picture around the prompted object, enlarged to a whole input (ours).

A vessel of twelve pixels is three cells of the mask grid when the whole slice fills the input, and half of it when the
look is zoomed to the box. Interactive networks have done so since RITM's zoom-in (Sofiiuk et al. 2021, arXiv
2102.06583). Names need the whole picture around them and come from the first look.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from samantic.segsam.input_transform import InputTransform

LOOK_FACTOR = 1.7
"""Side of the look over the longer side of the object."""

SMALLEST_LOOK = 24
"""Pixels: a look at fewer shows nothing more."""

LARGEST_LOGIT = 20.0
"""Answers are clipped to this before they are fed back, as in training; outside of a look nothing is found."""


@dataclass(frozen=True)
class Look:
    """A window of a picture in whole pixels, half-open, which may reach beyond the picture."""

    x0: int
    y0: int
    x1: int
    y1: int

    @classmethod
    def whole(cls, shape: tuple[int, int]) -> Look:
        """The window of a whole picture (rows, cols)."""
        return cls(0, 0, shape[1], shape[0])

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.y1 - self.y0, self.x1 - self.x0

    def holds(self, bounds_xyxy: tuple[float, float, float, float]) -> bool:
        """Whether half-open bounds lie inside the window without touching its border."""
        x0, y0, x1, y1 = bounds_xyxy
        return self.x0 < x0 and self.y0 < y0 and x1 < self.x1 and y1 < self.y1

    def cut(self, picture: np.ndarray, outside: float = 0) -> np.ndarray:
        """The window of a picture (rows, cols, ...), `outside` where it reaches beyond."""
        cut = np.full((*self.shape, *picture.shape[2:]), outside, dtype=picture.dtype)
        target, source = self._overlap((picture.shape[0], picture.shape[1]))
        cut[target] = picture[source]
        return cut

    def paste(self, part: np.ndarray, shape: tuple[int, int], outside: float) -> np.ndarray:
        """A picture (rows, cols) with the window's content in its place and `outside` around it."""
        picture = np.full(shape, outside, dtype=part.dtype)
        target, source = self._overlap(shape)
        picture[source] = part[target]
        return picture

    def _overlap(self, shape: tuple[int, int]) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        """The common part of window and picture, in the window's and in the picture's pixels."""
        rows, columns = shape
        top, bottom = min(max(self.y0, 0), rows), max(min(self.y1, rows), 0)
        left, right = min(max(self.x0, 0), columns), max(min(self.x1, columns), 0)
        inside = (slice(top - self.y0, bottom - self.y0), slice(left - self.x0, right - self.x0))
        return inside, (slice(top, bottom), slice(left, right))


@dataclass(frozen=True, eq=False)
class LookLogits:
    """Mask logits (1, g, g) of the square input in which `look` lay by `transform`; what a correction starts from."""

    logits: torch.Tensor
    look: Look
    transform: InputTransform

    def in_picture(self, shape: tuple[int, int]) -> np.ndarray:
        """Mask logits (rows, cols) float32 of the picture; nothing is found outside of the look."""
        return self.look.paste(self.transform.picture_logits(self.logits).numpy()[0], shape, -LARGEST_LOGIT)

    def seen_from(self, look: Look, transform: InputTransform, grid: int, shape: tuple[int, int]) -> torch.Tensor:
        """The logits as another look at the same picture (rows, cols) sees them: (1, grid, grid)."""
        if (look, transform, grid) == (self.look, self.transform, self.logits.shape[-1]):
            return self.logits
        return transform.grid_logits(look.cut(self.in_picture(shape), -LARGEST_LOGIT), grid, -LARGEST_LOGIT)


def bounds_of(mask: np.ndarray) -> tuple[float, float, float, float] | None:
    """Half-open bounds x0, y0, x1, y1 of a mask (rows, cols), None of an empty one."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def look_at(bounds_xyxy: tuple[float, float, float, float], spacing_yx_mm: tuple[float, float]) -> Look:
    """The physically square window around half-open bounds in a picture."""
    x0, y0, x1, y1 = bounds_xyxy
    spacing_y, spacing_x = spacing_yx_mm
    side = max(
        LOOK_FACTOR * max((x1 - x0) * spacing_x, (y1 - y0) * spacing_y), SMALLEST_LOOK * min(spacing_y, spacing_x)
    )
    columns, rows = max(1, round(side / spacing_x)), max(1, round(side / spacing_y))
    left, top = round((x0 + x1 - columns) / 2), round((y0 + y1 - rows) / 2)
    return Look(left, top, left + columns, top + rows)
