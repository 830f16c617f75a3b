"""Pairs of images that show nearly the same: another frame of a lesion, the same picture in other colours.

An image is made small, freed of its slow brightness changes (a vignette, the fading of ultrasound) and brought to the
same contrast everywhere; the likeness of two images is their highest normalised correlation over small shifts. Turned
and mirrored copies are not looked for. Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import fft
from scipy.ndimage import gaussian_filter, zoom

SIDE = {2: 48, 3: 24}  # of a signature, by the number of axes
DETAIL, NEIGHBOURHOOD = 2.0, 4.0  # pixels of the signature
NOISE = 2.0  # gray levels; contrast below it is not raised, so that black corners stay empty
SHIFT = 8  # looked for are shifts up to this fraction, one eighth, of the side

# Above a threshold every pair that was looked at shows the same lesion or person; strangers stay below it, and so do
# some other frames of a lesion. Ultrasound: within BUSI the likest strangers, two large cysts, reach 0.41.
# Dermoscopy shows one dark spot amid plain skin, so strangers are more alike: 0.72 within ISIC 2017.
# Hippocampi all have one shape: strangers reach 0.71, the two of one person 0.75; only a copy is above.
ULTRASOUND = 0.43
DERMOSCOPY = 0.75
HIPPOCAMPUS = 0.75


@dataclass(frozen=True, order=True)
class NearDuplicate:
    """Two images, one of each set, and their likeness (at most 1)."""

    first: str
    second: str
    likeness: float


def signature(image: np.ndarray) -> np.ndarray:
    """Return what an image is compared by, (48, 48) of a gray picture (H, W), (24, 24, 24) of a volume; norm 1.

    Intensities are 0 to 255. A flat image has the signature 0. Source: ours.
    """
    side = SIDE[image.ndim]
    small = _small(image, side)
    detail = small - gaussian_filter(small, DETAIL)
    contrast = np.sqrt(gaussian_filter(detail * detail, NEIGHBOURHOOD))
    even = detail / (contrast + NOISE)
    # Towards the borders, where a shifted copy has other contents, less counts.
    window = np.sqrt(np.hanning(side + 2)[1:-1]).astype(np.float32)
    for axis in range(image.ndim):
        even = even * np.expand_dims(window, [other for other in range(image.ndim) if other != axis])
    even = even - even.mean()
    return np.asarray(even / max(float(np.linalg.norm(even)), 1e-6), np.float32)


def likeness(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the likeness (N, M) of signatures (N, ...) and (M, ...): 1 for the same image, about 0 for strangers."""
    size = first.shape[1:]
    axes = tuple(range(1, first.ndim))
    spectra = fft.rfftn(second, axes=axes)
    reach = [np.r_[0 : length // SHIFT + 1, length - length // SHIFT : length] for length in size]
    result = np.zeros((len(first), len(second)), np.float32)
    for row, own in enumerate(fft.rfftn(first, axes=axes)):
        correlations = fft.irfftn(own.conj() * spectra, s=size, axes=axes)
        near = correlations[np.ix_(np.arange(len(second)), *reach)]
        result[row] = near.reshape(len(second), -1).max(axis=1)
    return result


def near_duplicates(
    first: Mapping[str, np.ndarray], second: Mapping[str, np.ndarray], threshold: float
) -> list[NearDuplicate]:
    """Return the pairs of ids whose signatures are at least `threshold` alike, likest first."""
    if not first or not second:
        return []
    table = likeness(_stacked(first.values()), _stacked(second.values()))
    first_ids, second_ids = list(first), list(second)
    found = [
        NearDuplicate(first_ids[row], second_ids[column], float(table[row, column]))
        for row, column in np.argwhere(table >= threshold)
    ]
    return sorted(found, key=lambda pair: -pair.likeness)


def _small(image: np.ndarray, side: int) -> np.ndarray:
    if image.ndim == 2:
        # Pillow averages boxes of pixels, ten times faster than a filter and an interpolation.
        picture = Image.fromarray(image.astype(np.uint8)).resize((side, side), Image.Resampling.BOX)
        return np.asarray(picture, np.float32)
    return zoom(
        image.astype(np.float32), [side / length for length in image.shape], order=1, mode="nearest", grid_mode=True
    )


def _stacked(signatures: Iterable[np.ndarray]) -> np.ndarray:
    return np.stack(list(signatures))
