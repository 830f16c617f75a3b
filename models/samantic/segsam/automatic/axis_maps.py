"""The head's maps of all slices along one axis of a volume: small, smoothed across slices, seen from any side."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from samantic.imaging import SliceView
from samantic.segsam.automatic.coarse_map import CoarseMap, interpolation, likely_channels, only_channels
from samantic.segsam.input_transform import InputTransform

SMALLEST_WEIGHT = 0.05
FARTHEST_SLICES = 2
LEAST_LOG_PROBABILITY = -16.0


@dataclass(frozen=True)
class Sides:
    """Voxel axes down the rows and along the columns of a view, and whether they run against the voxels' order."""

    row_axis: int
    column_axis: int
    flip_rows: bool
    flip_columns: bool

    @classmethod
    def of(cls, view: SliceView) -> Sides:
        """The sides of a view."""
        steps = view.to_view(np.eye(3)) - view.to_view(np.zeros((1, 3)))
        row_axis, column_axis = int(np.abs(steps[:, 1]).argmax()), int(np.abs(steps[:, 0]).argmax())
        return cls(row_axis, column_axis, bool(steps[row_axis, 1] < 0), bool(steps[column_axis, 0] < 0))


class AxisMaps:
    """Maps (C + 1, g, h) float16 of the slices along `view.axis`, made when they are first needed.

    `head`: slice index -> logits. `smoothing_mm`: standard deviation of the Gaussian across slices, 0 for none.
    """

    def __init__(
        self, view: SliceView, transform: InputTransform, head: Callable[[int], torch.Tensor], smoothing_mm: float
    ) -> None:
        self._view = view
        self._transform = transform
        self._head = head
        self._weights = slice_weights(_slice_distance(view), smoothing_mm)
        self._maps: dict[int, torch.Tensor] = {}
        self._all: tuple[torch.Tensor, torch.Tensor, int] | None = None

    @property
    def count(self) -> int:
        """Slices along the axis."""
        return self._view.volume_shape_ijk[self._view.axis]

    def drop_before(self, index: int) -> None:
        """Forget the maps that no slice from `index` on needs."""
        radius = len(self._weights) - 1
        for gone in [one for one in self._maps if one < index - radius]:
            del self._maps[gone]

    def own(self, index: int) -> CoarseMap:
        """The map of one slice along this axis, rows and columns as its view has them."""
        smoothed = self._smoothed(index)
        rows, columns = interpolation(self._transform, (smoothed.shape[1], smoothed.shape[2]))
        return CoarseMap(smoothed, rows, columns)

    def seen_from(self, view: SliceView) -> CoarseMap:
        """The map of a slice along another axis, put together from one line of every slice along this one."""
        maps, channels, count = self._likely()
        own, seen = Sides.of(self._view), Sides.of(view)
        in_rows, in_columns = interpolation(self._transform, (maps.shape[2], maps.shape[3]))
        # Both in the order of voxels.
        in_rows = in_rows.flip(0) if own.flip_rows else in_rows
        in_columns = in_columns.flip(0) if own.flip_columns else in_columns
        if own.row_axis == view.axis:
            lines, along = torch.einsum("scgh,g->csh", maps, in_rows[view.index]), in_columns
        else:
            lines, along = torch.einsum("scgh,h->csg", maps, in_columns[view.index]), in_rows
        everywhere = torch.full((count, *lines.shape[1:]), LEAST_LOG_PROBABILITY)
        everywhere[channels] = lines
        lines = everywhere
        slices = torch.eye(self.count)
        if seen.row_axis == self._view.axis:
            rows, columns = slices, along
        else:
            rows, columns, lines = along, slices, lines.transpose(1, 2)
        rows = rows.flip(0) if seen.flip_rows else rows
        columns = columns.flip(0) if seen.flip_columns else columns
        return CoarseMap(lines, rows, columns)

    def _likely(self) -> tuple[torch.Tensor, torch.Tensor, int]:
        """All slices' maps (S, C' + 1, g, h) of the channels that are likely in any of them, which, and of how many."""
        if self._all is None:
            smoothed = [self._smoothed(index).half() for index in range(self.count)]
            self._maps.clear()
            kept = torch.stack([likely_channels(one) for one in smoothed]).any(dim=0)
            maps = torch.stack([only_channels(one.float(), kept) for one in smoothed])
            self._all = maps, torch.nonzero(kept)[:, 0], len(kept)
        return self._all

    def _smoothed(self, index: int) -> torch.Tensor:
        total, weight = torch.zeros(1), 0.0
        for distance, share in enumerate(self._weights):
            for other in {index - distance, index + distance}:
                if 0 <= other < self.count:
                    total = total + share * torch.softmax(self._map(other).float(), dim=0)
                    weight += share
        return (total / weight).clamp(min=math.exp(LEAST_LOG_PROBABILITY)).log()

    def _map(self, index: int) -> torch.Tensor:
        if index not in self._maps:
            self._maps[index] = self._head(index).half()
        return self._maps[index]


def slice_weights(distance_mm: float, smoothing_mm: float) -> tuple[float, ...]:
    """Weights of a slice and of those 1, 2, ... farther: a Gaussian, at most `FARTHEST_SLICES` (ours)."""
    weights = [1.0]
    for steps in range(1, FARTHEST_SLICES + 1):
        weight = math.exp(-0.5 * (steps * distance_mm / smoothing_mm) ** 2) if smoothing_mm > 0 else 0.0
        if weight < SMALLEST_WEIGHT:
            break
        weights.append(weight)
    return tuple(weights)


def _slice_distance(view: SliceView) -> float:
    return float(np.linalg.norm(view.affine[:3, view.axis]))
