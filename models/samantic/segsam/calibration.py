"""What a trained network is told about itself: temperatures, when to be unsure, what it was trained on."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from samantic.segsam.familiarity import Familiarity

PREFIX = "familiarity."
"""Of the tensors in a checkpoint that belong to the calibration and not to the network."""


@dataclass(frozen=True)
class DomainCalibration:
    """How to read the answers on pictures of one domain.

    Class logits are divided by `temperature` (Guo et al. 2017, arXiv 1706.04599). An answer whose knownness
    (`naming.knownness`) lies below `smallest_knownness` is unsure (ours).
    """

    temperature: float
    smallest_knownness: float


@dataclass(frozen=True, eq=False)
class Calibration:
    """Fitted once after training on pictures that neither trained the weights nor measure them; see `calibrate`."""

    domains: Mapping[str, DomainCalibration]
    familiarity: Familiarity

    def __post_init__(self) -> None:
        if tuple(self.domains) != self.familiarity.domains:
            raise ValueError(
                f"its calibration is of {', '.join(self.domains)}, its familiarity of "
                f"{', '.join(self.familiarity.domains)}; they must be the same in the same order"
            )

    def to_json(self) -> str:
        """Everything but the tensors of `familiarity`, whose rows are in the order of the domains here."""
        return json.dumps({name: vars(domain) for name, domain in self.domains.items()})

    def tensors(self) -> dict[str, torch.Tensor]:
        """The tensors of `familiarity` under their names in a checkpoint."""
        return {PREFIX + name: tensor for name, tensor in self.familiarity.tensors().items()}

    @classmethod
    def from_checkpoint(cls, text: str, tensors: Mapping[str, torch.Tensor]) -> Calibration:
        """The inverse of `to_json` and `tensors`; ValueError says what does not fit."""
        stored = json.loads(text)
        if not isinstance(stored, dict) or not stored:
            raise ValueError("its calibration names no domains")
        domains = {}
        for name, values in stored.items():
            if not isinstance(values, dict) or values.keys() != {"temperature", "smallest_knownness"}:
                raise ValueError(f"its calibration of '{name}' must hold temperature and smallest_knownness")
            domain = DomainCalibration(float(values["temperature"]), float(values["smallest_knownness"]))
            if not (0 < domain.temperature < math.inf) or not math.isfinite(domain.smallest_knownness):
                raise ValueError(f"its calibration of '{name}' holds {domain}")
            domains[name] = domain
        own = {name.removeprefix(PREFIX): tensor for name, tensor in tensors.items()}
        return cls(domains, Familiarity.from_tensors(tuple(domains), own))
