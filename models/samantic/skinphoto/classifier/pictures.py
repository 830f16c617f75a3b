"""Pictures that belong to a class, and to a photograph."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image


@dataclass(frozen=True, eq=False)
class LabelledPicture:
    """A photograph or a crop of one, (rows, cols, 3) uint8, its class, and the photograph that it is from."""

    photograph: str
    image: np.ndarray
    is_disease: bool

    def square(self, side: int) -> np.ndarray:
        """The picture stretched to (side, side, 3)."""
        return np.asarray(Image.fromarray(self.image).resize((side, side), Image.Resampling.BILINEAR))
