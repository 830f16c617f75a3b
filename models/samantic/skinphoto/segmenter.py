"""A photograph -> which pixels are skin and which are lesion."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from samantic.segsam import file_hash
from samantic.skinphoto.checkpoint import read_skin_photo
from samantic.skinphoto.classes import BACKGROUND, LESION, SKIN
from samantic.skinphoto.network import SkinPhotoNetwork

MOST_OBLONG = 3.0
"""Photographs with longer sides than this many shorter ones are squeezed to it before they are looked at."""

SURE_SKIN, SURE_LESION = 0.8, 0.9
"""Probabilities from which pixels count for a crop, chosen on validation composites: of the crops by the likeliest
classes one in eight breaks the rule in truth, of these one in twenty."""


@dataclass(frozen=True, eq=False)
class SkinAnswer:
    """`probabilities` (3, h, w) float32 of background, skin and lesion, on the grid that the network saw."""

    probabilities: np.ndarray

    def labels(self, shape: tuple[int, int]) -> np.ndarray:
        """The likeliest class of every pixel of a picture of `shape`, (rows, cols) uint8; see `classes`."""
        return _likeliest(torch.from_numpy(self.probabilities), shape)

    def sure_labels(self, shape: tuple[int, int]) -> np.ndarray:
        """The classes (rows, cols) uint8 with lesion only where its probability is at least `SURE_LESION`, and skin
        only where that of skin and lesion together is at least `SURE_SKIN`."""
        grid = torch.from_numpy(self.probabilities)[None]
        shares = functional.interpolate(grid, size=shape, mode="bilinear")[0].numpy()
        labels = np.where(shares[LESION] >= SURE_LESION, LESION, SKIN)
        return np.where(1 - shares[BACKGROUND] >= SURE_SKIN, labels, BACKGROUND).astype(np.uint8)

    def confidence(self, shape: tuple[int, int]) -> np.ndarray:
        """The probability of the likeliest class, (rows, cols) float32."""
        surest = torch.from_numpy(self.probabilities).amax(dim=0)
        return functional.interpolate(surest[None, None], size=shape, mode="bilinear")[0, 0].numpy()


class SkinSegmenter:
    """The network ready to use; the same photograph gives the same answer. Source: ours."""

    def __init__(
        self, network: SkinPhotoNetwork, weights_hash: str = "", device: torch.device | str | None = None
    ) -> None:
        chosen = device if device is not None else ("cuda" if torch.cuda.is_available() else "cpu")
        self.network = network.to(chosen).eval()
        self.weights_hash, self.device = weights_hash, torch.device(chosen)

    @classmethod
    def load(cls, path: Path, device: torch.device | str | None = None) -> SkinSegmenter:
        """Read a file of weights. Raises SkinPhotoWeightsError."""
        return cls(read_skin_photo(path).network, file_hash(path), device)

    @torch.inference_mode()
    def segment(self, photograph: np.ndarray) -> SkinAnswer:
        """Segment a photograph (rows, cols, 3) uint8 of any size, seen upright and mirrored.

        ValueError for another kind of array.
        """
        if photograph.ndim != 3 or photograph.shape[2] != 3 or photograph.dtype != np.uint8 or 0 in photograph.shape:
            raise ValueError(f"A photograph must be (rows, cols, 3) uint8, not {photograph.shape} {photograph.dtype}.")
        pixels = torch.from_numpy(np.ascontiguousarray(photograph.transpose(2, 0, 1)))[None]
        size = seen_shape(
            (photograph.shape[0], photograph.shape[1]), self.network.config.side, self.network.config.output_stride
        )
        # Resampled as 8-bit numbers: a photograph of 24 million pixels needs an eighth of the memory then.
        small = functional.interpolate(pixels, size=size, mode="bilinear", antialias=True).to(self.device).float() / 255
        both = self.network(torch.cat([small, small.flip(3)])).float().softmax(dim=1)
        return SkinAnswer(((both[0] + both[1].flip(2)) / 2).cpu().numpy())


def seen_shape(shape: tuple[int, int], side: int, step: int) -> tuple[int, int]:
    """The size at which a picture is shown: about side * side pixels, as oblong as it is, sides multiples of `step`."""
    oblong = float(np.clip(shape[0] / shape[1], 1 / MOST_OBLONG, MOST_OBLONG))
    rows, columns = side * oblong**0.5, side / oblong**0.5
    return max(1, round(rows / step)) * step, max(1, round(columns / step)) * step


def _likeliest(probabilities: torch.Tensor, shape: tuple[int, int]) -> np.ndarray:
    """Class by class, so that a large picture never needs three planes of fractions at once."""
    best = functional.interpolate(probabilities[:1][None], size=shape, mode="bilinear")[0, 0]
    labels = np.zeros(shape, np.uint8)
    for value in range(1, len(probabilities)):
        plane = functional.interpolate(probabilities[value][None, None], size=shape, mode="bilinear")[0, 0]
        labels[(plane > best).numpy()] = value
        best = torch.maximum(best, plane)
    return labels
