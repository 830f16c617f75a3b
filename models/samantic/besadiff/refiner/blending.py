"""SAM says where the lesion is, the diffusion where its border runs, the coarse mask where both are unsure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from samantic.besadiff.refiner.prompts import largest_component


@dataclass(frozen=True)
class BlendOptions:
    """How three masks become one: in a band round SAM's border the diffusion has its say, elsewhere SAM alone; where
    both are unsure the coarse mask decides.

    `band` is the half width of the band in units of the radius of a disc of the mask's area, at least `least_band`
    pixels; `share` the diffusion's weight on the border itself, from where it falls to 0 at the band's edge.
    `coarse_share` is the weight of the coarse mask, blurred by `coarse_blur` of its radius so that it says where the
    lesion is and not where its border runs.
    """

    band: float = 0.25
    least_band: float = 4.0
    share: float = 0.4
    coarse_share: float = 0.3
    coarse_blur: float = 0.5

    def __post_init__(self) -> None:
        for name, value in (("share", self.share), ("coarse_share", self.coarse_share)):
            if not 0 <= value <= 1:
                raise ValueError(f"{name} must lie between 0 and 1, not {value}.")
        if self.band < 0 or self.least_band <= 0 or self.coarse_blur < 0:
            raise ValueError("The band round the border needs a width above 0, and the blur must not be negative.")


def blended(
    sam: np.ndarray, mask: np.ndarray, diffusion: np.ndarray, coarse: np.ndarray, options: BlendOptions
) -> np.ndarray:
    """Return the probability (rows, cols) float32 of SAM's and the diffusion's and the coarse mask. Source: ours.

    `mask` and `coarse` (rows, cols) bool are SAM's answer and what it was prompted with. ValueError: the shapes differ.
    """
    shapes = {picture.shape for picture in (sam, mask, diffusion, coarse)}
    if len(shapes) > 1:
        raise ValueError(f"All masks must have one shape, but they are {' and '.join(map(str, sorted(shapes)))}.")
    distance = np.where(mask, ndimage.distance_transform_edt(mask), ndimage.distance_transform_edt(~mask)) - 0.5
    weight = options.share * np.clip(1 - distance / max(options.least_band, options.band * _radius(mask)), 0, 1)
    mixed = (1 - weight) * sam + weight * diffusion
    prior = ndimage.gaussian_filter(coarse.astype(np.float32), options.coarse_blur * _radius(coarse), mode="nearest")
    return ((1 - options.coarse_share) * mixed + options.coarse_share * prior).astype(np.float32)


def mask_of(probability: np.ndarray) -> np.ndarray:
    """Return the largest connected part of what is more likely lesion than not, without holes; (rows, cols) bool."""
    component = largest_component(probability > 0.5)
    return np.zeros(probability.shape, bool) if component is None else ndimage.binary_fill_holes(component)


def _radius(mask: np.ndarray) -> float:
    return float(np.sqrt(mask.sum() / np.pi))
