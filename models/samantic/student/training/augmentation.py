"""Pictures changed at random, a batch at a time; what lies on them moves along."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from samantic.training import SettingsError


@dataclass(frozen=True)
class Movement:
    """How far pictures may be moved: `turn_degrees` either way, mirrored left to right or not, the deviations of the
    logarithms of `scale` and `stretch`, and of a `shift` in halves of the picture. SettingsError: out of range."""

    turn_degrees: float = 180.0
    mirror: bool = True
    scale: float = 0.17
    stretch: float = 0.08
    shift: float = 0.08

    def __post_init__(self) -> None:
        for name, most in (("turn_degrees", 180), ("scale", 1), ("stretch", 1), ("shift", 1)):
            if not 0 <= getattr(self, name) <= most:
                raise SettingsError(f"{name} must be 0 to {most}, not {getattr(self, name)}.")

    def drawn(self, count: int, random: np.random.Generator) -> torch.Tensor:
        """Affine maps from places in the moved pictures to places in the old ones, (count, 2, 3)."""
        angle = np.deg2rad(random.uniform(-self.turn_degrees, self.turn_degrees, count))
        scale = np.exp(random.normal(0.02, self.scale, count))
        stretch = np.exp(random.normal(0, self.stretch, count))
        mirror = np.where(random.random(count) < (0.5 if self.mirror else 0), -1.0, 1.0)
        cosine, sine = np.cos(angle), np.sin(angle)
        rows = [
            np.stack([cosine * mirror * stretch, -sine * mirror / stretch], axis=-1),
            np.stack([sine * stretch, cosine / stretch], axis=-1),
        ]
        linear = np.stack(rows, axis=1) * scale[:, None, None]
        return torch.from_numpy(np.concatenate([linear, random.normal(0, self.shift, (count, 2, 1))], axis=2)).float()


def moved(maps: torch.Tensor, affine: torch.Tensor) -> torch.Tensor:
    """Maps (B, C, H, W) moved by (B, 2, 3) of `Movement.drawn`; what lies beyond the picture is its mirror image."""
    grid = functional.affine_grid(affine, list(maps.shape), align_corners=False)
    return functional.grid_sample(maps.float(), grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def moved_labels(labels: torch.Tensor, count: int, affine: torch.Tensor) -> torch.Tensor:
    """Label maps (B, H, W) with values below `count` moved likewise: each pixel is what most of it shows."""
    shares = functional.one_hot(labels.long(), count).permute(0, 3, 1, 2)
    return moved(shares, affine).argmax(dim=1)


def recoloured(pictures: torch.Tensor, random: np.random.Generator) -> torch.Tensor:
    """Another lamp, camera and focus: pictures (B, 3, H, W) in 0 to 1 -> the same. Source: ours."""
    count = len(pictures)

    def drawn(deviation: float, channels: int) -> torch.Tensor:
        return torch.from_numpy(random.normal(0, deviation, (count, channels, 1, 1)).astype(np.float32))

    pictures = pictures.clamp(1e-3, 1) ** drawn(0.2, 1).exp()
    pictures = pictures * drawn(0.08, 3).exp() + drawn(0.03, 3)
    grey = pictures.mean(dim=1, keepdim=True)
    pictures = grey + (pictures - grey) * drawn(0.25, 1).exp()
    blurred = torch.from_numpy(random.random(count) < 0.25)
    if blurred.any():
        pictures[blurred] = functional.avg_pool2d(pictures[blurred], 3, stride=1, padding=1, count_include_pad=False)
    noisy = np.flatnonzero(random.random(count) < 0.3)
    if len(noisy):
        noise = random.standard_normal((len(noisy), *pictures.shape[1:]), dtype=np.float32)
        noise *= random.uniform(0.01, 0.05, (len(noisy), 1, 1, 1)).astype(np.float32)
        pictures[noisy] += torch.from_numpy(noise)
    return pictures.clamp(0, 1)
