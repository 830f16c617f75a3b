"""A model that finds bright things, exactly and at once, so that tests can say what a propagation makes of answers."""

from __future__ import annotations

import weakref
from collections.abc import Sequence

import numpy as np
import torch
from scipy import ndimage

from samantic.imaging import Volume, Window
from samantic.segsam import ImageFeatures, InputTransform, Look, LookLogits, ObjectPrediction, ViewPrompts

WINDOW = Window("greys", ((0.0, 255.0),))
BRIGHT = 128
NO_POINTS = (np.zeros((0, 2)), np.zeros(0, np.int64))


def box(x0: float, y0: float, x1: float, y1: float) -> ViewPrompts:
    """A box prompt."""
    return ViewPrompts(*NO_POINTS, (x0, y0, x1, y1))


def volume_of(shape: tuple[int, int, int], spacing: tuple[float, float, float] = (1, 1, 1)) -> Volume:
    """A dark volume; of an affine under which pictures are neither flipped nor turned along axis 2."""
    return Volume(np.zeros(shape, np.uint8), np.diag([-spacing[0], -spacing[1], spacing[2], 1.0]))


class BrightThings:
    """Finds the connected bright parts that a prompt touches; a liver if darker than 200, else a kidney.

    `sureness` is the logit of every pixel; `most_alive` how many pictures' features were held at once; `passes` how
    often it was asked, and `pair` the first two prompts that came together.
    """

    def __init__(self, sureness: float = 8.0) -> None:
        self.sureness = sureness
        self.passes = 0
        self.pair: Sequence[ViewPrompts] = ()
        self.most_alive = 0
        self._alive: weakref.WeakSet[ImageFeatures] = weakref.WeakSet()

    def encode(self, image: np.ndarray, spacing_yx_mm: tuple[float, float] = (1.0, 1.0)) -> ImageFeatures:
        shape = (image.shape[0], image.shape[1])
        features = ImageFeatures({}, InputTransform(shape, spacing_yx_mm, 64), lambda: image)
        self._alive.add(features)
        self.most_alive = max(self.most_alive, len(self._alive))
        return features

    def decode(
        self, features: ImageFeatures, prompts: Sequence[ViewPrompts], classes: Sequence[str] | None = None
    ) -> list[ObjectPrediction]:
        self.passes += 1
        if len(prompts) == 2 and not self.pair:
            self.pair = prompts
        return [self._answer(features.picture()[..., 0], one, features.transform, classes) for one in prompts]

    def _answer(
        self, picture: np.ndarray, prompts: ViewPrompts, transform: InputTransform, classes: Sequence[str] | None
    ) -> ObjectPrediction:
        parts, _ = ndimage.label(picture >= BRIGHT)
        touched = np.zeros(picture.shape, bool)
        if prompts.mask is not None:
            touched |= prompts.mask
        if prompts.box_xyxy is not None:
            x0, y0, x1, y1 = (round(bound) for bound in prompts.box_xyxy)
            touched[y0:y1, x0:x1] = True
        mask = np.isin(parts, np.setdiff1d(parts[touched], 0))
        logits = np.where(mask, self.sureness, -8.0).astype(np.float32)
        is_liver = not mask.any() or picture[mask].mean() < 200
        names = {"liver": 0.9 if is_liver else 0.1, "kidney_left": 0.1 if is_liver else 0.9}
        if classes:
            total = sum(names[name] for name in classes)
            names = {name: names[name] / total for name in classes}
        low = LookLogits(torch.zeros(1, 4, 4), Look.whole(picture.shape), transform)
        predicted = max(names, key=names.__getitem__)
        return ObjectPrediction(mask, logits, low, 0.9, names, predicted, {}, names[predicted], None, None)
