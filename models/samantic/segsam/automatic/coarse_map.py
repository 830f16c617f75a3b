"""The head's map of a picture on its own coarse grid, and brought to the picture band by band."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.nn import functional

from samantic.segsam.input_transform import InputTransform

BAND_VALUES = 1 << 24
"""Probabilities at once: a photograph of many megapixels is not there with all its classes."""

LOWEST_PROBABILITY = 0.01
"""A class that stays below it everywhere cannot win anywhere; it counts as background."""


@dataclass(frozen=True, eq=False)
class CoarseMap:
    """`log_probabilities` (C + 1, g, h) of background and classes; `rows` (R, g) and `columns` (W, h) interpolate them.

    To interpolate is linear in rows and in columns, so the two matrices say everything.
    """

    log_probabilities: torch.Tensor
    rows: torch.Tensor
    columns: torch.Tensor

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the picture."""
        return len(self.rows), len(self.columns)

    def probabilities(self, first_row: int, last_row: int) -> torch.Tensor:
        """(C + 1, last_row - first_row, columns); they sum to 1 in a pixel."""
        band = self.rows[first_row:last_row] @ self.log_probabilities.float() @ self.columns.T
        return torch.softmax(band, dim=0)

    def of_channels(self, kept: torch.Tensor) -> CoarseMap:
        """The map of some of the channels (C + 1,) bool, background among them; the others count as background."""
        return replace(self, log_probabilities=only_channels(self.log_probabilities.float(), kept))


def interpolation(transform: InputTransform, grid: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor]:
    """What `InputTransform.picture_logits` does to a grid (g, h), as matrices (rows, g) and (cols, h)."""
    (rows, columns), (inner_rows, inner_columns), (top, left) = (
        transform.shape,
        transform.inner_shape,
        transform.offset_yx,
    )
    return (
        _matrix(grid[0], transform.size, top, inner_rows, rows),
        _matrix(grid[1], transform.size, left, inner_columns, columns),
    )


def likely_channels(log_probabilities: torch.Tensor) -> torch.Tensor:
    """Of a map (C + 1, g, h) the background and the classes that may be somewhere: (C + 1,) bool."""
    likely = log_probabilities.amax(dim=(1, 2)).float().exp() >= LOWEST_PROBABILITY
    likely[0] = True
    return likely


def only_channels(log_probabilities: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
    """A map (C + 1, g, h) of the `kept` channels (C + 1,) bool; the others are added to the background."""
    background = torch.cat([log_probabilities[:1], log_probabilities[~kept]]).logsumexp(dim=0, keepdim=True)
    return torch.cat([background, log_probabilities[kept][1:]])


def only_likely(maps: Sequence[CoarseMap]) -> tuple[list[CoarseMap], np.ndarray]:
    """Maps of one picture without the classes that none of them shows, and the channels (C' + 1,) that are kept."""
    kept = torch.stack([likely_channels(one.log_probabilities) for one in maps]).any(dim=0)
    return [one.of_channels(kept) for one in maps], torch.nonzero(kept)[:, 0].numpy()


def bands(maps: Sequence[CoarseMap]) -> Iterator[tuple[slice, np.ndarray]]:
    """Rows of the picture and the mean of the maps' probabilities (C + 1, rows, columns) there, from top to bottom."""
    rows, columns = maps[0].shape
    step = max(1, BAND_VALUES // (len(maps[0].log_probabilities) * columns))
    for first in range(0, rows, step):
        last = min(rows, first + step)
        total = maps[0].probabilities(first, last)
        for other in maps[1:]:
            total += other.probabilities(first, last)
        yield slice(first, last), (total / len(maps)).numpy()


def _matrix(grid: int, size: int, offset: int, inner: int, length: int) -> torch.Tensor:
    whole = functional.interpolate(torch.eye(grid)[None], size=size, mode="linear", align_corners=False)
    picture = functional.interpolate(
        whole[:, :, offset : offset + inner], size=length, mode="linear", align_corners=False
    )
    return picture[0].T.contiguous()
