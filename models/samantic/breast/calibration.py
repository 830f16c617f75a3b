"""What a trained network is told about itself: its temperature, and what breast ultrasound looks like to it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from samantic.breast.network import BreastNetwork
from samantic.sam.image_encoder import FeatureMaps
from samantic.segsam import InputTransform
from samantic.segsam.familiarity import Familiarity, ImageFamiliarity

PREFIX = "familiarity."
"""Of the tensors in a file that belong to the calibration and not to the network."""

DOMAIN = "breast_ultrasound"


@dataclass(frozen=True, eq=False)
class BreastCalibration:
    """Class logits are divided by `temperature` (Guo et al. 2017), chosen on the validation part.

    `familiarity` knows breast ultrasound alone, beside pictures of other kinds (see `samantic.segsam.familiarity`).
    """

    temperature: float
    familiarity: Familiarity | None

    def __post_init__(self) -> None:
        if not 0 < self.temperature < math.inf:
            raise ValueError(f"its temperature must be a positive number, not {self.temperature}")

    def familiar(self, network: BreastNetwork, maps: FeatureMaps) -> ImageFamiliarity | None:
        """How far the first picture of the encoder's maps is from breast ultrasound; None where that is not known."""
        return None if self.familiarity is None else self.familiarity.of(*familiarity_input(network, maps))

    def to_json(self) -> str:
        """Everything but the tensors of `familiarity`."""
        return json.dumps({"temperature": self.temperature, "knows_outliers": self.familiarity is not None})

    def tensors(self) -> dict[str, torch.Tensor]:
        """The tensors of `familiarity` under their names in a file."""
        found = {} if self.familiarity is None else self.familiarity.tensors()
        return {PREFIX + name: tensor for name, tensor in found.items()}

    @classmethod
    def from_file(cls, text: str, tensors: Mapping[str, torch.Tensor]) -> BreastCalibration:
        """The inverse of `to_json` and `tensors`; ValueError says what does not fit."""
        stored = json.loads(text)
        if not isinstance(stored, dict) or stored.keys() != {"temperature", "knows_outliers"}:
            raise ValueError("its calibration must hold temperature and knows_outliers")
        own = {name.removeprefix(PREFIX): tensor for name, tensor in tensors.items() if name.startswith(PREFIX)}
        familiarity = Familiarity.from_tensors((DOMAIN,), own) if stored["knows_outliers"] else None
        return cls(float(stored["temperature"]), familiarity)


def familiarity_input(network: BreastNetwork, maps: FeatureMaps) -> tuple[FeatureMaps, InputTransform]:
    """What `pooled_features` and `Familiarity.of` are given: the maps that describe the whole square."""
    side = network.image_size
    whole = InputTransform((side, side), (1.0, 1.0), side, "stretch")
    return {name: maps[name] for name in network.described_by}, whole
