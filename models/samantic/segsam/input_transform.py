"""Picture <-> the network's square input: physical proportions kept, the rest padded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from samantic.sam.image_encoder import Placement


@dataclass(frozen=True)
class InputTransform:
    """Scales a picture (rows, cols) with its spacing so that the longer side in millimetres fills the square input.

    Where the picture lies and the colour around it (0 to 255) are those that the encoder's weights were trained with:
    in the middle of black (ours), in the upper left corner of the mean colour (SAM, `ResizeLongestSide` and
    `Sam.preprocess`), or stretched over the whole input (MedSAM, Ma et al. 2024).
    """

    shape: tuple[int, int]
    spacing_yx_mm: tuple[float, float]
    size: int
    placement: Placement = "centre"
    border: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def inner_shape(self) -> tuple[int, int]:
        """Rows and columns that the picture takes in the input."""
        if self.placement == "stretch":
            return self.size, self.size
        height, width = (n * spacing for n, spacing in zip(self.shape, self.spacing_yx_mm, strict=True))
        longest = max(height, width)
        return max(1, round(self.size * height / longest)), max(1, round(self.size * width / longest))

    @property
    def offset_yx(self) -> tuple[int, int]:
        """Rows above and columns left of the picture."""
        if self.placement == "corner":
            return 0, 0
        rows, columns = self.inner_shape
        return (self.size - rows) // 2, (self.size - columns) // 2

    def image(self, image: np.ndarray) -> torch.Tensor:
        """(rows, cols, 3) uint8 -> (1, 3, size, size) float32 in 0 to 255."""
        pixels = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None].float()
        border = torch.tensor(self.border).view(1, 3, 1, 1)
        return self._padded(self._scaled(pixels) - border) + border

    def mask_logits(self, mask: np.ndarray, grid: int, logit: float) -> torch.Tensor:
        """A mask (rows, cols) -> logits (1, grid, grid) of plus or minus `logit`, negative in the border."""
        share = self._scaled(torch.from_numpy(np.ascontiguousarray(mask)).float()[None, None])
        square = functional.interpolate(self._padded(share), size=(grid, grid), mode="area")[0]
        return logit * (2.0 * (square >= 0.5).float() - 1.0)

    def grid_logits(self, logits: np.ndarray, grid: int, outside: float) -> torch.Tensor:
        """Logits of a picture (rows, cols) -> (1, grid, grid) of the whole input, `outside` in the border."""
        scaled = self._scaled(torch.from_numpy(np.ascontiguousarray(logits)).float()[None, None])
        return functional.interpolate(self._padded(scaled - outside) + outside, size=(grid, grid), mode="area")[0]

    def points(self, points_xy: np.ndarray) -> np.ndarray:
        """Picture points (P, 2), pixel centres at whole numbers -> input points (P, 2), likewise."""
        (rows, columns), (inner_rows, inner_columns), (top, left) = self.shape, self.inner_shape, self.offset_yx
        scale = np.array([inner_columns / columns, inner_rows / rows])
        return (np.asarray(points_xy, dtype=np.float64).reshape(-1, 2) + 0.5) * scale + (left, top) - 0.5

    def picture_logits(self, logits: torch.Tensor) -> torch.Tensor:
        """Logits (M, grid, grid) of the whole input -> (M, rows, cols) of the picture."""
        full = functional.interpolate(logits[None], size=(self.size, self.size), mode="bilinear", align_corners=False)
        (rows, columns), (top, left) = self.inner_shape, self.offset_yx
        inner = full[:, :, top : top + rows, left : left + columns]
        return functional.interpolate(inner, size=self.shape, mode="bilinear", align_corners=False)[0]

    def _scaled(self, pixels: torch.Tensor) -> torch.Tensor:
        return functional.interpolate(pixels, size=self.inner_shape, mode="bilinear", antialias=True)

    def _padded(self, pixels: torch.Tensor) -> torch.Tensor:
        (rows, columns), (top, left) = self.inner_shape, self.offset_yx
        return functional.pad(pixels, (left, self.size - columns - left, top, self.size - rows - top))
