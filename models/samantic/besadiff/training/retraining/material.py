"""Photographs and their lesions as small squares: what a round learns from and is measured on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch.nn import functional

from samantic.besadiff.squares import stretched
from samantic.datasets.labelled_view import LabelledView
from samantic.datasets.studies import LabelledImage
from samantic.imaging import ImageReadError, SliceView, read_mask, read_volume, to_uint8, window_for
from samantic.segsam.training.retraining.slices import evenly
from samantic.training import TrainingError

LESION = "skin_lesion"
DOMAIN = "dermoscopy"


@dataclass(frozen=True, eq=False)
class Material:
    """Square views by what is done with them; `left_out` says in one line each what is not used, and why."""

    real: list[LabelledView] = field(default_factory=list)
    synthetic: list[LabelledView] = field(default_factory=list)
    validation: list[LabelledView] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def material_of(
    views: Iterable[LabelledView],
    synthetic: Iterable[LabelledView],
    held_out: Collection[str],
    left_out: list[str],
) -> Material:
    """Sort square views; without any `held_out` id, what is learned from is measured on as well.

    Synthetic ones are never measured on. TrainingError: nothing real is left to learn from.
    """
    material = Material(left_out=left_out)
    for view in views:
        learned = view.image_id not in held_out
        if learned:
            material.real.append(view)
        if not learned or not held_out:
            material.validation.append(view)
    if not material.real:
        reasons = " ".join(left_out) or "no photograph with a label of a lesion is left for training."
        raise TrainingError(f"There is nothing to learn from: {reasons}")
    material.synthetic.extend(synthetic)
    return material


def read_views(
    images: Sequence[LabelledImage], side: int, most: int, left_out: list[str], go_on: Callable[[int], None]
) -> list[LabelledView]:
    """Read photographs, at most `most` of them, as squares; those that cannot be used are told of in `left_out`.

    `go_on` is called before each with how many are done.
    """
    chosen = [images[index] for index in evenly(range(len(images)), most)]
    if len(chosen) < len(images):
        left_out.append(f"{len(images) - len(chosen)} of {len(images)} photographs are left out: {most} are enough.")
    views = []
    for done, image in enumerate(chosen):
        go_on(done)
        try:
            views.append(square(_view(image), side))
        except ImageReadError as error:
            left_out.append(f"'{image.image_id}' is left out: {error}.")
    return views


def square(view: LabelledView, side: int) -> LabelledView:
    """A photograph stretched to a square as the segmenter does, labels 1 where most of a pixel is not background."""
    mask = torch.from_numpy((view.labels > 0).astype(np.uint8) * 255)[None, None]
    small = functional.interpolate(mask, size=(side, side), mode="bilinear", antialias=True)[0, 0]
    image = stretched(view.image, side).permute(1, 2, 0).contiguous().numpy()
    return LabelledView(view.image_id, view.domain, image, (small > 127).numpy().astype(np.int16), (LESION,))


def _view(image: LabelledImage) -> LabelledView:
    volume = read_volume(image.image)
    if not volume.is_rgb or volume.array.dtype != np.uint8 or volume.shape_ijk[2] != 1:
        raise ImageReadError("it is no photograph in colour")
    view = SliceView.of(volume, 2, 0)
    labels = np.isin(read_mask(image.label, volume), list(image.class_of_value))
    picture = to_uint8(view.extract(volume.array), window_for(volume))
    return LabelledView(image.image_id, DOMAIN, picture, view.extract(labels).astype(np.int16), (LESION,))
