"""New scans out of labelled slices: another shape, contrast, resolution, bias field and noise for the same labels.

The CT and the MR that the project learns from show one patient each. As SynthSeg does (Billot et al. 2023,
arXiv 2107.09559), every call draws another patient at another scanner. CT is changed in HU, which the three windows
of its picture still hold, and windowed again; MR in its 8 bits.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch.nn import functional

from samantic.datasets.labelled_view import LabelledView
from samantic.datasets.tissue_contrast import changed_contrast, drawn_tissues
from samantic.imaging import Window, to_uint8
from samantic.imaging.windowing import PRESETS

DOMAINS = ("ct", "mr")
COARSEST_MM = 5.0
AIR = {"ct": -1000.0, "mr": 0.0}
WINDOWS = {"ct": Window("ct", PRESETS["ct"]), "mr": Window("percentile", ((0.0, 255.0),))}


def synthesise(view: LabelledView, random: np.random.Generator) -> LabelledView:
    """Draw another image for a labelled slice of CT or MR; labels move with it, their values stay.

    Four in ten are drawn anew from the labels, the others keep their texture under another contrast. The same
    generator state gives the same picture. ValueError for another domain. Source: ours, after Billot et al. 2023.
    """
    if view.domain not in DOMAINS:
        raise ValueError(
            f"'{view.image_id}' is of the domain '{view.domain}', and only {' and '.join(DOMAINS)} can be synthesised; "
            "use the view as it is."
        )
    intensities = intensities_of(view)
    intensities, labels = _deformed(intensities, view.labels, random)
    change = drawn_tissues if random.random() < 0.4 else changed_contrast
    intensities = change(intensities, labels, view.class_names, view.domain, random)
    intensities = _biased(intensities, view.domain, random)
    # No scanner to be expected has voxels of more than COARSEST_MM.
    coarsest = np.clip(COARSEST_MM / np.array(view.spacing_yx_mm), 1.0, 3.0)
    intensities = _rescanned(intensities, view.domain, coarsest, random)
    return replace(view, image=to_uint8(np.maximum(intensities, AIR[view.domain]), WINDOWS[view.domain]), labels=labels)


def intensities_of(view: LabelledView) -> np.ndarray:
    """Return (H, W) float32: HU between -1000 and 1000 from the three windows of a CT, the grey levels of an MR."""
    if view.domain == "mr":
        return view.image[..., 0].astype(np.float32)
    # The narrowest window that does not saturate is the most exact one.
    lung, soft, bone = (
        np.float32(low) + view.image[..., channel] * np.float32((high - low) / 255.0)
        for channel, (low, high) in enumerate(PRESETS["ct"])
    )
    grey = view.image[..., 1]
    return np.where(grey == 0, lung, np.where(grey == 255, bone, soft))


def _deformed(
    intensities: np.ndarray, labels: np.ndarray, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Move the inside of the picture: up to 7.5 % of its sides, smooth over a third and a sixth of the longer one."""
    rows, columns = labels.shape
    strength = random.uniform(0.15, 1.0)
    # x and y from -1 to 1. Neighbouring nodes differ by less than a third of their distance, so that nothing folds.
    large = _smooth_field(4, labels.shape, 0.10 * strength, random, channels=2)
    field = large + _smooth_field(7, labels.shape, 0.05 * strength, random, channels=2)
    y = (np.arange(rows, dtype=np.float32) * 2 + 1) / rows - 1
    x = (np.arange(columns, dtype=np.float32) * 2 + 1) / columns - 1
    grid = torch.from_numpy(np.stack([field[0] + x[None, :], field[1] + y[:, None]], axis=-1))[None]
    image = torch.from_numpy(intensities)[None, None]
    picture = torch.from_numpy(labels.astype(np.float32))[None, None]
    moved = functional.grid_sample(image, grid, mode="bilinear", padding_mode="border", align_corners=False)
    moved_labels = functional.grid_sample(picture, grid, mode="nearest", padding_mode="border", align_corners=False)
    return moved[0, 0].numpy(), moved_labels[0, 0].numpy().astype(labels.dtype)


def _smooth_field(
    nodes: int, shape: tuple[int, ...], amplitude: float, random: np.random.Generator, channels: int = 1
) -> np.ndarray:
    """Random values at `nodes` points along the longer side, cubic between them: (channels, *shape) float32.

    Of a displacement (two channels) no node on the frame leaves the frame, so that nothing comes in from outside.
    """
    along = [max(3, round(nodes * n / max(shape))) for n in shape]
    values = random.uniform(-amplitude, amplitude, size=(channels, *along)).astype(np.float32)
    if channels == 2:
        values[0, :, [0, -1]] = 0.0
        values[1, [0, -1], :] = 0.0
    coarse = torch.from_numpy(values)[None]
    return functional.interpolate(coarse, list(shape), mode="bicubic", align_corners=True)[0].numpy()


def _biased(intensities: np.ndarray, domain: str, random: np.random.Generator) -> np.ndarray:
    """Coil sensitivity of an MR (a factor of 0.6 to 1.6), scatter of a CT (within 12 HU)."""
    if random.random() < 0.3:
        return intensities
    if domain == "mr":
        return intensities * np.exp(_smooth_field(4, intensities.shape, random.uniform(0, 0.45), random)[0])
    return intensities + _smooth_field(4, intensities.shape, random.uniform(0, 12), random)[0]


def _rescanned(intensities: np.ndarray, domain: str, coarsest: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Voxels up to `coarsest` times as large in y and x, or in one of them, their noise, and back to the grid."""
    rows, columns = intensities.shape
    along = np.ones(2)
    draw = random.random()
    if draw < 0.35:
        along[:] = np.minimum(random.uniform(1.0, 2.2), coarsest)
    elif draw < 0.6:
        axis = int(random.integers(2))
        along[axis] = random.uniform(1.0, coarsest[axis])
    size = tuple(max(8, round(n / factor)) for n, factor in zip((rows, columns), along, strict=True))
    image = torch.from_numpy(np.ascontiguousarray(intensities, dtype=np.float32))[None, None]
    if size != (rows, columns):
        image = functional.interpolate(image, size, mode="area")
    coarse = image[0, 0].numpy()
    if random.random() < 0.7:
        largest = 30.0 if domain == "ct" else 14.0
        coarse = coarse + np.float32(random.uniform(0, largest)) * _correlated_noise(coarse.shape, random)
    if domain == "mr":
        coarse = np.abs(coarse)  # a magnitude image has no negative noise
    if size == (rows, columns):
        return coarse
    back = functional.interpolate(torch.from_numpy(coarse)[None, None], (rows, columns), mode="bilinear")
    return back[0, 0].numpy()


def _correlated_noise(shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    """Unit noise with grains of 1 to 2.5 pixels: (H, W) float32."""
    grain = random.uniform(1.0, 2.5)
    small = [max(2, round(n / grain)) for n in shape]
    noise = torch.from_numpy(random.standard_normal(small, dtype=np.float32))[None, None]
    return functional.interpolate(noise, list(shape), mode="bilinear")[0, 0].numpy()
