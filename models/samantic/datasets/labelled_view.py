"""One picture to learn from or to be measured on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class LabelledView:
    """A windowed slice or photograph with its semantic labels.

    `image` (H, W, 3) uint8; `labels` (H, W) int16, 0 background, n the n-th of `class_names`; `spacing_yx_mm` the
    distance between rows and columns. `class_names` are all classes that the labels would show if they were there;
    a class of the same `domain` that is not among them is unknown, not absent.
    """

    image_id: str
    domain: str
    image: np.ndarray
    labels: np.ndarray
    class_names: tuple[str, ...]
    spacing_yx_mm: tuple[float, float] = (1.0, 1.0)
