"""A picture of a breast -> mask, diagnosis, and where the classifier looked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from samantic.breast.answer import BreastAnswer, lesion_mask
from samantic.breast.calibration import BreastCalibration
from samantic.breast.checkpoint import read_breast
from samantic.breast.network import BreastNetwork
from samantic.breast.squares import grey_square
from samantic.segsam import file_hash
from samantic.segsam.familiarity import ImageFamiliarity


@dataclass(frozen=True, eq=False)
class Reading:
    """One look at a picture, on the network's square: maps (S, S) in 0 to 1 and class logits (3,), float32."""

    probability: np.ndarray
    attention: np.ndarray
    class_logits: np.ndarray
    familiarity: ImageFamiliarity | None


class BreastReader:
    """A network ready to use; the same picture gives the same answer. Source: ours."""

    def __init__(
        self,
        network: BreastNetwork,
        calibration: BreastCalibration | None = None,
        weights_hash: str = "",
        device: torch.device | str | None = None,
    ) -> None:
        chosen = device if device is not None else ("cuda" if torch.cuda.is_available() else "cpu")
        self.network = network.to(chosen).eval()
        self.calibration, self.weights_hash, self.device = calibration, weights_hash, torch.device(chosen)

    @classmethod
    def load(cls, path: Path, device: torch.device | str | None = None) -> BreastReader:
        """Read a network's file. Raises BreastFileError."""
        stored = read_breast(path)
        return cls(stored.network, stored.calibration, file_hash(path), device)

    def read(self, image: np.ndarray) -> BreastAnswer:
        """Answer about a picture (rows, cols, 3) uint8 of any size; ValueError for another kind of array."""
        reading = self.look(image)
        shape = (image.shape[0], image.shape[1])
        probability, attention = _resized(np.stack([reading.probability, reading.attention]), shape)
        temperature = 1.0 if self.calibration is None else self.calibration.temperature
        exponents = reading.class_logits.astype(np.float64) / temperature
        shares = np.exp(exponents - exponents.max())
        return BreastAnswer(
            mask=lesion_mask(probability),
            probability=probability,
            attention=attention,
            diagnosis_probabilities=shares / shares.sum(),
            class_logits=reading.class_logits,
            familiarity=reading.familiarity,
        )

    @torch.no_grad()
    def look(self, image: np.ndarray) -> Reading:
        """What the network itself says about a picture, the mean of it and of its mirror image.

        An ultrasound has an up and a down, but no left and right.
        """
        square = grey_square(image, self.network.image_size).to(self.device)
        maps = self.network.encode(torch.stack([square, square.flip(-1)]))
        found = self.network.decode(maps)
        side = (self.network.image_size, self.network.image_size)
        attention = functional.interpolate(found.attention.float(), size=side, mode="bilinear")
        both = torch.cat([torch.sigmoid(found.mask_logits.float()), attention], dim=1)
        mean = (both[0] + both[1].flip(-1)) / 2
        familiarity = None
        if self.calibration is not None:
            familiarity = self.calibration.familiar(self.network, maps)
        logits = found.class_logits.float().mean(dim=0).cpu().numpy()
        return Reading(mean[0].cpu().numpy(), mean[1].cpu().numpy(), logits, familiarity)


def _resized(maps: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Maps (N, S, S) -> (N, rows, cols)."""
    tensor = torch.from_numpy(maps)[None]
    return functional.interpolate(tensor, size=shape, mode="bilinear", antialias=True)[0].clamp(0, 1).numpy()
