"""How many pixels of skin and of lesion every window of a picture holds, all windows of a size at once."""

from __future__ import annotations

import numpy as np

from samantic.skinphoto.classes import LESION

MOST_PIXELS = 1 << 20
"""Of a label map; a photograph's is reduced before crops are looked for."""


class WindowCounts:
    """An integral image of a label map (rows, cols) uint8 (Crow 1984): exact counts by four numbers a window.

    ValueError for another kind of array, values that are no class, or more than MOST_PIXELS pixels. Source: ours.
    """

    def __init__(self, labels: np.ndarray) -> None:
        if labels.ndim != 2 or labels.dtype != np.uint8 or 0 in labels.shape:
            raise ValueError(f"A label map must be (rows, cols) uint8, not {labels.shape} {labels.dtype}.")
        if labels.size > MOST_PIXELS:
            raise ValueError(f"Crops are looked for on label maps of at most {MOST_PIXELS} pixels, not {labels.size}.")
        if labels.max() > LESION:
            raise ValueError(f"A label map holds 0, 1 and 2, not {labels.max()}.")
        self._lesion = _integral(labels >> 1)
        # 0, 1, 2 summed: skin and twice the lesion.
        self._skin = _integral(labels) - self._lesion

    def of(self, side: int) -> tuple[np.ndarray, np.ndarray]:
        """Pixels of skin with lesion, and of lesion, in every window of `side` pixels, by its upper left corner.

        Two (rows - side + 1, cols - side + 1) int32.
        """
        return _windows(self._skin, side), _windows(self._lesion, side)


def _integral(values: np.ndarray) -> np.ndarray:
    """Sums of all values above and to the left, (rows + 1, cols + 1) int32."""
    sums = np.zeros((values.shape[0] + 1, values.shape[1] + 1), np.int32)
    np.cumsum(values, axis=0, out=sums[1:, 1:], dtype=np.int32)
    np.cumsum(sums[1:, 1:], axis=1, out=sums[1:, 1:])
    return sums


def _windows(sums: np.ndarray, side: int) -> np.ndarray:
    bands = sums[side:] - sums[:-side]
    return bands[:, side:] - bands[:, :-side]
