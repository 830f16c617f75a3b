"""SAM says where the lesion is, the diffusion's late steps where exactly its border runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from samantic.besadiff.refiner.prompts import largest_component


@dataclass(frozen=True)
class BlendOptions:
    """How two probabilities become one: in a band round SAM's border the diffusion has its say, elsewhere SAM alone.

    `band` is the half width of the band in units of the radius of a disc of the mask's area, at least `least_band`
    pixels; `share` the diffusion's weight on the border itself, from where it falls to 0 at the band's edge.
    """

    band: float = 0.25
    least_band: float = 4.0
    share: float = 0.4

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError(f"share must lie between 0 and 1, not {self.share}.")
        if self.band < 0 or self.least_band <= 0:
            raise ValueError("The band round the border needs a width above 0.")


def blended(sam: np.ndarray, diffusion: np.ndarray, mask: np.ndarray, options: BlendOptions) -> np.ndarray:
    """Return the probability (rows, cols) float32 of both, `mask` (rows, cols) bool being SAM's answer. Source: ours.

    ValueError: the shapes differ.
    """
    if not sam.shape == diffusion.shape == mask.shape:
        raise ValueError(
            f"SAM's answer, the diffusion's and the mask must have one shape, but they are {sam.shape}, "
            f"{diffusion.shape} and {mask.shape}."
        )
    distance = np.where(mask, ndimage.distance_transform_edt(mask), ndimage.distance_transform_edt(~mask)) - 0.5
    radius = float(np.sqrt(mask.sum() / np.pi))
    weight = options.share * np.clip(1 - distance / max(options.least_band, options.band * radius), 0, 1)
    return ((1 - weight) * sam + weight * diffusion).astype(np.float32)


def mask_of(probability: np.ndarray) -> np.ndarray:
    """Return the largest connected part of what is more likely lesion than not, without holes; (rows, cols) bool."""
    component = largest_component(probability > 0.5)
    return np.zeros(probability.shape, bool) if component is None else ndimage.binary_fill_holes(component)
