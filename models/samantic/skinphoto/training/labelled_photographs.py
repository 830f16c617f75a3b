"""Real photographs with labels of skin and lesions, small enough to keep, and batches of parts of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from samantic.datasets.studies import LabelledImage
from samantic.imaging import ImageReadError, SliceView, read_mask, read_volume, to_uint8, window_for
from samantic.segsam.training.retraining.slices import evenly
from samantic.skinphoto.classes import BACKGROUND, CLASS_NAMES, LESION, SKIN

KEPT = 2
"""Photographs are kept with so many times the pixels along a side that the network sees, for parts of them."""


@dataclass(frozen=True, eq=False)
class LabelledPhotograph:
    """`image` (rows, cols, 3) uint8 and `labels` (rows, cols) uint8, see `classes`."""

    image_id: str
    image: np.ndarray
    labels: np.ndarray


def read_photographs(
    images: Sequence[LabelledImage], side: int, most: int, left_out: list[str]
) -> list[LabelledPhotograph]:
    """Read at most `most` photographs for a network that sees `side`; those that cannot be used go to `left_out`."""
    chosen = [images[index] for index in evenly(range(len(images)), most)]
    if len(chosen) < len(images):
        left_out.append(f"{len(images) - len(chosen)} of {len(images)} photographs are left out: {most} are enough.")
    photographs = []
    for image in chosen:
        try:
            photographs.append(_read(image, KEPT * side))
        except ImageReadError as error:
            left_out.append(f"'{image.image_id}' is left out: {error}.")
    return photographs


def moved_batch(
    photographs: Sequence[LabelledPhotograph], count: int, side: int, random: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Parts of photographs, from whole ones to close-ups, as squares: (B, 3, S, S) in 0 to 1, (B, S, S) int64."""
    images, labels = [], []
    for index in random.integers(len(photographs), size=count):
        one = photographs[int(index)]
        share = random.uniform(0.5, 1)
        rows, columns = (max(1, round(share * length)) for length in one.labels.shape)
        top, left = (
            int(random.integers(length - part + 1))
            for length, part in zip(one.labels.shape, (rows, columns), strict=True)
        )
        part = slice(top, top + rows), slice(left, left + columns)
        images.append(_fitted(torch.from_numpy(one.image[part]).permute(2, 0, 1)[None], (side, side)).float() / 255)
        values = torch.from_numpy(np.ascontiguousarray(one.labels[part]))[None, None]
        labels.append(functional.interpolate(values, size=(side, side), mode="nearest-exact")[0].long())
    return torch.cat(images), torch.cat(labels)


def _read(image: LabelledImage, longest: int) -> LabelledPhotograph:
    volume = read_volume(image.image)
    if volume.kind != "photograph":
        raise ImageReadError("it is no photograph")
    view = SliceView.of(volume, 2, 0)
    mask = view.extract(read_mask(image.label, volume))
    labels = np.full(mask.shape, BACKGROUND, np.uint8)
    for value, name in image.class_of_value.items():
        if name in CLASS_NAMES:
            labels[mask == value] = SKIN if name == CLASS_NAMES[0] else LESION
    picture = to_uint8(view.extract(volume.array), window_for(volume))
    scale = min(1.0, longest / max(labels.shape))
    if scale == 1:
        return LabelledPhotograph(image.image_id, np.ascontiguousarray(picture), labels)
    size = (max(1, round(labels.shape[0] * scale)), max(1, round(labels.shape[1] * scale)))
    pixels = torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))[None]
    small = functional.interpolate(torch.from_numpy(labels)[None, None], size=size, mode="nearest-exact")[0, 0]
    return LabelledPhotograph(
        image.image_id, _fitted(pixels, size)[0].permute(1, 2, 0).contiguous().numpy(), small.numpy()
    )


def _fitted(pixels: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    return functional.interpolate(pixels.contiguous(), size=size, mode="bilinear", antialias=True)
