"""Photographs of skin changed at random, a batch at a time; masks move along as distances to their border."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional


def moved(
    images: torch.Tensor, signed_distances: torch.Tensor, random: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Turn, mirror, scale and shift: images (B, 3, H, W), distances (B, 1, S, S) in pixels of S -> the same shapes.

    What lies beyond the picture is its mirror image, for both. Distances grow with the picture. Source: ours.
    """
    count = len(images)
    angle = random.uniform(-np.pi, np.pi, count)
    scale = np.exp(random.normal(0.02, 0.17, count))
    stretch = np.exp(random.normal(0, 0.08, count))
    mirror = np.where(random.random(count) < 0.5, -1.0, 1.0)
    cosine, sine = np.cos(angle), np.sin(angle)
    # Output -> input; a scale above 1 shows more of the picture than there is.
    linear = np.stack(
        [
            np.stack([cosine * mirror * stretch, -sine / stretch], axis=-1),
            np.stack([sine * mirror * stretch, cosine / stretch], axis=-1),
        ],
        axis=1,
    )
    linear *= scale[:, None, None]
    theta = torch.from_numpy(np.concatenate([linear, random.normal(0, 0.08, (count, 2, 1))], axis=2)).float()
    pictures = _sampled(images, theta)
    distances = _sampled(signed_distances.float(), theta) / torch.from_numpy(scale).float().view(-1, 1, 1, 1)
    return pictures, distances


def recoloured(images: torch.Tensor, random: np.random.Generator) -> torch.Tensor:
    """Another lamp, camera and focus: images (B, 3, H, W) in 0 to 1 -> the same. Source: ours."""
    count = len(images)

    def drawn(mean: float, deviation: float, channels: int) -> torch.Tensor:
        return torch.from_numpy(random.normal(mean, deviation, (count, channels, 1, 1)).astype(np.float32))

    images = images.clamp(1e-3, 1) ** drawn(0, 0.2, 1).exp()
    images = images * drawn(0, 0.08, 3).exp() + drawn(0, 0.03, 3)
    grey = images.mean(dim=1, keepdim=True)
    images = grey + (images - grey) * drawn(0, 0.25, 1).exp()
    blurred = torch.from_numpy(random.random(count) < 0.25)
    if blurred.any():
        images[blurred] = functional.avg_pool2d(images[blurred], 3, stride=1, padding=1, count_include_pad=False)
    noisy = np.flatnonzero(random.random(count) < 0.3)
    if len(noisy):
        noise = random.standard_normal((len(noisy), *images.shape[1:]), dtype=np.float32)
        images[noisy] += torch.from_numpy(noise * random.uniform(0.01, 0.05, (len(noisy), 1, 1, 1)).astype(np.float32))
    return images.clamp(0, 1)


def _sampled(maps: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
    grid = functional.affine_grid(theta, list(maps.shape), align_corners=False)
    return functional.grid_sample(maps, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
