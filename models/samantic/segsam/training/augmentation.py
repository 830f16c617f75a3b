"""Views -> square training pictures: geometry and intensity changed at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from samantic.datasets.labelled_view import LabelledView
from samantic.sam.image_encoder import Placement
from samantic.segsam.second_look import LOOK_FACTOR, SMALLEST_LOOK

MIRROR_DOMAINS = ("dermoscopy", "breast_ultrasound", "skin_photo")
"""Left and right mean nothing here; in CT and MR they are part of a class's name."""


LOOK_FACTOR_SPREAD = 0.3
"""Standard deviation of the logarithm of a training look's side, around that at inference."""


@dataclass(frozen=True)
class TrainingPicture:
    """`image` (3, S, S) float32 in 0 to 255, `labels` (S, S) int64 with the view's own label values."""

    image: torch.Tensor
    labels: torch.Tensor


@dataclass(frozen=True)
class TrainingLook:
    """What the look network sees: `image` (3, S, S) float32 in 0 to 255, `share` (S, S) of the object in 0 to 1."""

    image: torch.Tensor
    share: torch.Tensor


def picture_of(
    view: LabelledView,
    size: int,
    random: np.random.Generator,
    placement: Placement = "centre",
    border: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> TrainingPicture:
    """Draw one training picture: rotation, scale, shift, zoom into an object, contrast, blur and noise (ours).

    It lies in the square, before it is moved, as `InputTransform` places it: `placement` in a `border` of 0 to 255.
    """
    grid = _sampling_grid(view, _random_affine(view, random), size, placement)
    labels = torch.from_numpy(view.labels.astype(np.float32))[None, None]
    sampled_labels = functional.grid_sample(labels, grid, mode="nearest", align_corners=False)[0, 0]
    return TrainingPicture(_image(view, grid, random, border), sampled_labels.long())


def look_of(
    view: LabelledView, region: np.ndarray, size: int, random: np.random.Generator, whole: bool = False
) -> TrainingLook:
    """Draw one picture zoomed to a `region` (H, W) bool of a view, or the `whole` view, as a look sees it (ours)."""
    spacing_y, spacing_x = view.spacing_yx_mm
    rows, columns = view.labels.shape
    longest = max(rows * spacing_y, columns * spacing_x)
    if whole:
        scale = float(np.exp(random.normal(0, 0.15)))
        centre = random.normal(0, 0.06, size=2)
    else:
        inside_y, inside_x = np.nonzero(region)
        extent = max((int(np.ptp(inside_y)) + 1) * spacing_y, (int(np.ptp(inside_x)) + 1) * spacing_x)
        factor = LOOK_FACTOR * float(np.exp(random.normal(0, LOOK_FACTOR_SPREAD)))
        scale = max(factor * extent, SMALLEST_LOOK * min(spacing_y, spacing_x)) / longest
        middle_y = ((inside_y.min() + inside_y.max() + 1) / 2 - rows / 2) * spacing_y * 2 / longest
        middle_x = ((inside_x.min() + inside_x.max() + 1) / 2 - columns / 2) * spacing_x * 2 / longest
        centre = np.array([middle_x, middle_y]) + random.normal(0, 0.06, size=2) * extent * 2 / longest
    # A border has no side: mirror images are as good as any, though names are not.
    linear = _rotation_and_mirror(view, random, free=True) * scale
    grid = _sampling_grid(view, torch.tensor(np.column_stack([linear, centre]), dtype=torch.float32), size)
    share = torch.from_numpy(region.astype(np.float32))[None, None]
    return TrainingLook(
        _image(view, grid, random), functional.grid_sample(share, grid, mode="bilinear", align_corners=False)[0, 0]
    )


def _sampling_grid(
    view: LabelledView, matrix: torch.Tensor, size: int, placement: Placement = "centre"
) -> torch.Tensor:
    rows, columns = view.labels.shape
    height, width = rows * view.spacing_yx_mm[0], columns * view.spacing_yx_mm[1]
    longest = max(height, width)
    # The output square spans the longest side; normalised input coordinates are relative to the picture's own sides.
    span = torch.tensor([[longest / width, 0], [0, longest / height]], dtype=torch.float32)
    if placement == "corner":
        matrix = matrix + torch.tensor([[0, 0, 1 - width / longest], [0, 0, 1 - height / longest]])
    elif placement == "stretch":
        span = torch.eye(2)
    theta = torch.cat([span @ matrix[:, :2], span @ matrix[:, 2:]], dim=1)
    return functional.affine_grid(theta[None], [1, 1, size, size], align_corners=False)


def _image(
    view: LabelledView,
    grid: torch.Tensor,
    random: np.random.Generator,
    border: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> torch.Tensor:
    around = torch.tensor(border).view(1, 3, 1, 1)
    image = torch.from_numpy(np.ascontiguousarray(view.image)).permute(2, 0, 1).float()[None]
    # Beyond the picture the sampler gives 0, which is the border once it is added again.
    sampled = functional.grid_sample(image - around, grid, mode="bilinear", align_corners=False) + around
    return _change_intensity(sampled[0], view.domain, random)


def _random_affine(view: LabelledView, random: np.random.Generator) -> torch.Tensor:
    """Output -> input, in units of half the longest side."""
    # A body may fill the slice, or leave room for arms and table.
    scale = float(np.exp(random.normal(-0.05, 0.15) if view.domain in MIRROR_DOMAINS else random.normal(0.06, 0.22)))
    centre = random.normal(0, 0.06, size=2)
    if random.random() < 0.2:
        scale, centre = _zoom_into_object(view, random)
    linear = _rotation_and_mirror(view, random) * scale
    return torch.tensor(np.column_stack([linear, centre]), dtype=torch.float32)


def _rotation_and_mirror(view: LabelledView, random: np.random.Generator, free: bool = False) -> np.ndarray:
    free = free or view.domain in MIRROR_DOMAINS
    angle = random.uniform(-np.pi, np.pi) if view.domain == "dermoscopy" else np.deg2rad(random.normal(0, 8))
    stretch = float(np.exp(random.normal(0, 0.06)))
    mirror_x = -1.0 if free and random.random() < 0.5 else 1.0
    mirror_y = -1.0 if view.domain == "dermoscopy" and random.random() < 0.5 else 1.0
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, -sine], [sine, cosine]]) @ np.diag([mirror_x * stretch, mirror_y])


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
