"""Views -> square training pictures: geometry and intensity changed at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from samantic.datasets.labelled_view import LabelledView

MIRROR_DOMAINS = ("dermoscopy", "breast_ultrasound", "skin_photo")
"""Left and right mean nothing here; in CT and MR they are part of a class's name."""


@dataclass(frozen=True)
class TrainingPicture:
    """`image` (3, S, S) float32 in 0 to 255, `labels` (S, S) int64 with the view's own label values."""

    image: torch.Tensor
    labels: torch.Tensor


def picture_of(view: LabelledView, size: int, random: np.random.Generator) -> TrainingPicture:
    """Draw one training picture: rotation, scale, shift, zoom into an object, contrast, blur and noise (ours)."""
    matrix = _random_affine(view, random)
    rows, columns = view.labels.shape
    height, width = rows * view.spacing_yx_mm[0], columns * view.spacing_yx_mm[1]
    longest = max(height, width)
    # The output square spans the longest side; normalised input coordinates are relative to the picture's own sides.
    span = torch.tensor([[longest / width, 0, 0], [0, longest / height, 0]], dtype=torch.float32)
    theta = torch.cat([span[:, :2] @ matrix[:, :2], span[:, :2] @ matrix[:, 2:]], dim=1)
    grid = functional.affine_grid(theta[None], [1, 1, size, size], align_corners=False)
    image = torch.from_numpy(np.ascontiguousarray(view.image)).permute(2, 0, 1).float()[None]
    labels = torch.from_numpy(view.labels.astype(np.float32))[None, None]
    sampled = functional.grid_sample(image, grid, mode="bilinear", align_corners=False)[0]
    sampled_labels = functional.grid_sample(labels, grid, mode="nearest", align_corners=False)[0, 0]
    return TrainingPicture(_change_intensity(sampled, view.domain, random), sampled_labels.long())


def _random_affine(view: LabelledView, random: np.random.Generator) -> torch.Tensor:
    """Output -> input, in units of half the longest side."""
    free = view.domain in MIRROR_DOMAINS
    angle = random.uniform(-np.pi, np.pi) if view.domain == "dermoscopy" else np.deg2rad(random.normal(0, 8))
    scale = float(np.exp(random.normal(-0.05, 0.15)))
    stretch = float(np.exp(random.normal(0, 0.06)))
    centre = random.normal(0, 0.06, size=2)
    if random.random() < (0.2 if free else 0.45):
        scale, centre = _zoom_into_object(view, random)
    mirror_x = -1.0 if free and random.random() < 0.5 else 1.0
    mirror_y = -1.0 if view.domain == "dermoscopy" and random.random() < 0.5 else 1.0
    cosine, sine = np.cos(angle), np.sin(angle)
    linear = np.array([[cosine, -sine], [sine, cosine]]) @ np.diag([mirror_x * scale * stretch, mirror_y * scale])
    return torch.tensor(np.column_stack([linear, centre]), dtype=torch.float32)


def _zoom_into_object(view: LabelledView, random: np.random.Generator) -> tuple[float, np.ndarray]:
    rows, columns = view.labels.shape
    spacing_y, spacing_x = view.spacing_yx_mm
    longest = max(rows * spacing_y, columns * spacing_x)
    values = np.unique(view.labels)
    values = values[values > 0]
    if not len(values):
        return 1.0, np.zeros(2)
    inside_y, inside_x = np.nonzero(view.labels == random.choice(values))
    extent = max(float(np.ptp(inside_y)) * spacing_y, float(np.ptp(inside_x)) * spacing_x, 1.0) / longest
    low = float(np.clip(1.3 * extent, 0.2, 1.0))
    scale = float(random.uniform(low, 1.0))
    centre_y = (inside_y.mean() + 0.5 - rows / 2) * spacing_y * 2 / longest
    centre_x = (inside_x.mean() + 0.5 - columns / 2) * spacing_x * 2 / longest
    return scale, np.array([centre_x, centre_y]) + random.normal(0, 0.15, size=2) * scale


def _change_intensity(image: torch.Tensor, domain: str, random: np.random.Generator) -> torch.Tensor:
    per_channel = (3, 1, 1)
    channels = per_channel if domain in ("dermoscopy", "ct") else (1, 1, 1)
    gain = torch.from_numpy(np.exp(random.normal(0, 0.12, size=channels)).astype(np.float32))
    offset = torch.from_numpy(random.normal(0, 12, size=channels).astype(np.float32))
    if random.random() < 0.5:
        gamma = float(np.exp(random.normal(0, 0.2)))
        image = 255.0 * (image.clamp(0, 255) / 255.0) ** gamma
    image = image * gain + offset * (image > 0).any(dim=0, keepdim=True)
    if random.random() < 0.25:
        image = functional.avg_pool2d(image[None], 3, stride=1, padding=1)[0]
    if random.random() < 0.4:
        strength = float(random.uniform(2, 14))
        noise = random.standard_normal((channels[0], *image.shape[1:]), dtype=np.float32)
        image = image + strength * torch.from_numpy(noise)
    return image.clamp(0, 255)
