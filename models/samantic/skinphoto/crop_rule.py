"""Which crops are fit for diagnosis: more than 80 % skin and more than 10 % lesion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from samantic.skinphoto.classes import BACKGROUND, LESION


@dataclass(frozen=True)
class CropRule:
    """A crop must show more than `skin_percent` skin and more than `lesion_percent` lesion, both strictly.

    A lesion is skin: the share of skin counts both. Whole percents, so that counts of pixels decide without rounding.
    ValueError for other numbers. Source: the published rule; what counts as skin: ours.
    """

    skin_percent: int = 80
    lesion_percent: int = 10

    def __post_init__(self) -> None:
        for name in ("skin_percent", "lesion_percent"):
            value = getattr(self, name)
            if not isinstance(value, int) or not 0 <= value < 100:
                raise ValueError(f"{name} must be a whole number from 0 to 99, not {value!r}.")

    def enough(self, skin: np.ndarray, lesion: np.ndarray, area: int) -> np.ndarray:
        """Whether crops of `area` pixels qualify, bool; `skin` counts the pixels of skin and of lesion together."""
        # For a whole number n, 100 n > p area just where n > floor(p area / 100).
        return (skin > self.skin_percent * area // 100) & (lesion > self.lesion_percent * area // 100)

    def accepts(self, labels: np.ndarray) -> bool:
        """Whether a label map (rows, cols), see `classes`, qualifies as a crop."""
        skin, lesion = np.count_nonzero(labels != BACKGROUND), np.count_nonzero(labels == LESION)
        return bool(self.enough(np.asarray(skin), np.asarray(lesion), labels.size))
