"""What the followed object looks like, learned on the prompted slice and from slice to slice."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

GREYS = 256
SMOOTHING = 6.0
"""Greys over which a histogram is smoothed: a slice has too few pixels to fill it."""

ANY_GREY = 0.02
"""Share of pixels that may have any grey at all."""

STRONGEST = 4.0
"""Log odds; no pixel is decided by its grey alone."""

LEARNED = 0.2
"""How much of what is known each slice replaces."""

WEIGHT = 0.5
"""Of the greys' log odds beside the network's, at full contrast; chosen on validation volumes."""

NOISE = 64.0
"""Variance in squared greys that counts as noise of any image."""


SMALLEST_CORE = 20
"""Pixels; with fewer inside its border, the whole mask says what the object looks like."""


@dataclass(frozen=True, eq=False)
class Appearance:
    """Histograms (256,) of one channel inside an object and in a ring around it, and how well they tell them apart.

    The network sees shapes on one slice at a time; that this object is brighter than its neighbours it cannot know.
    Colour models learned from the first frame do the same in video, and in GrabCut (Rother et al. 2004).
    """

    channel: int
    inside: np.ndarray
    outside: np.ndarray
    contrast: float

    @classmethod
    def of(cls, picture: np.ndarray, mask: np.ndarray, ring: int) -> Appearance | None:
        """Learn from a picture (rows, cols, 3) uint8 and a mask, in the channel of the best contrast.

        `ring`: how many pixels around the mask count as its neighbours. None where there is nothing to learn from.
        """
        found = _inside_and_around(picture, mask, ring)
        if found is None:
            return None
        inside, around = found
        difference = np.abs(inside.mean(axis=0) - around.mean(axis=0))
        contrast = difference / np.sqrt(inside.var(axis=0) + around.var(axis=0) + NOISE)
        channel = int(contrast.argmax())
        return cls(channel, _histogram(inside[:, channel]), _histogram(around[:, channel]), float(contrast[channel]))

    def evidence(self, picture: np.ndarray) -> np.ndarray:
        """Log odds (rows, cols) that a pixel belongs to the object, by its grey and its neighbours', weighted."""
        odds = np.log(self.inside / self.outside)[picture[..., self.channel]]
        clipped = np.clip(ndimage.gaussian_filter(odds, 0.7), -STRONGEST, STRONGEST)
        return (WEIGHT * min(1.0, self.contrast) * clipped).astype(np.float32)

    def after(self, picture: np.ndarray, mask: np.ndarray, ring: int) -> Appearance:
        """The same, having seen the object on one more slice."""
        found = _inside_and_around(picture, mask, ring)
        if found is None:
            return self
        inside, around = (_histogram(greys[:, self.channel]) for greys in found)
        return replace(
            self,
            inside=(1 - LEARNED) * self.inside + LEARNED * inside,
            outside=(1 - LEARNED) * self.outside + LEARNED * around,
        )


def _inside_and_around(picture: np.ndarray, mask: np.ndarray, ring: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Greys (N, 3) inside a mask and in the ring around it, without the pixels of the border, which are mixtures."""
    core = ndimage.binary_erosion(mask)
    around = ndimage.binary_dilation(mask, iterations=ring) & ~ndimage.binary_dilation(mask)
    if core.sum() < SMALLEST_CORE:
        core = mask
    return (picture[core], picture[around]) if core.any() and around.any() else None


def _histogram(greys: np.ndarray) -> np.ndarray:
    counts = np.bincount(greys, minlength=GREYS).astype(np.float64)
    smooth = ndimage.gaussian_filter1d(counts, SMOOTHING, mode="nearest")
    return (1 - ANY_GREY) * smooth / smooth.sum() + ANY_GREY / GREYS
