"""Pictures of ultrasound changed at random, a batch at a time; masks move along."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional


def moved(images: torch.Tensor, masks: torch.Tensor, random: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Mirror, lean, scale and shift: images and masks (B, 1, S, S) -> the same shapes.

    The probe stays above: shadows fall down, so pictures are never turned upside down. What lies beyond the picture is
    its mirror image, for both. Source: ours.
    """
    count = len(images)
    angle = random.normal(0, np.pi / 14, count)
    scale = np.exp(random.normal(-0.03, 0.17, count))
    stretch = np.exp(random.normal(0, 0.1, count))
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
    grid = functional.affine_grid(theta, list(images.shape), align_corners=False)
    both = torch.cat([images, masks], dim=1)
    both = functional.grid_sample(both, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    return both[:, :1].contiguous(), both[:, 1:].contiguous()


def retuned(images: torch.Tensor, random: np.random.Generator) -> torch.Tensor:
    """Another device and other knobs: gain, gain by depth, compression, speckle, sharpness; (B, 1, S, S) in 0 to 1.

    Source: ours.
    """
    count, side = len(images), images.shape[-2]

    def drawn(mean: float, deviation: float) -> torch.Tensor:
        return torch.from_numpy(random.normal(mean, deviation, (count, 1, 1, 1)).astype(np.float32))

    images = images.clamp(1e-3, 1) ** drawn(0, 0.25).exp()
    depth = torch.linspace(-1, 1, side).view(1, 1, side, 1)
    images = images * (1 + drawn(0, 0.12) + drawn(0, 0.15) * depth) + drawn(0, 0.03)
    blurred = torch.from_numpy(random.random(count) < 0.25)
    if blurred.any():
        images[blurred] = functional.avg_pool2d(images[blurred], 3, stride=1, padding=1, count_include_pad=False)
    speckled = np.flatnonzero(random.random(count) < 0.35)
    if len(speckled):
        noise = random.standard_normal((len(speckled), *images.shape[1:]), dtype=np.float32)
        strength = random.uniform(0.03, 0.2, (len(speckled), 1, 1, 1)).astype(np.float32)
        images[speckled] = images[speckled] * (1 + torch.from_numpy(noise * strength))
    return images.clamp(0, 1)
