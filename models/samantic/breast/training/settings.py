"""All that a run is made of, as it stands in a YAML file."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from samantic.breast.config import BreastConfig
from samantic.breast.training.loss import BreastLoss
from samantic.training import FitOptions, read_settings_file

PACKAGED = Path(__file__).with_name("breast-ultrasound.yaml")
"""How the bundled network is to be trained."""


@dataclass(frozen=True)
class BreastSettings:
    """The network, where its encoder comes from, its loss, and how long it is trained. SettingsError: out of range.

    `encoder_weights`: a bundled SEG-SAM or a checkpoint of the zoo that is on this machine, None for random ones.
    """

    network: BreastConfig = field(default_factory=BreastConfig)
    encoder_weights: str | None = None
    encoder_learns: bool = True
    loss: BreastLoss = field(default_factory=BreastLoss)
    fit: FitOptions = field(default_factory=FitOptions)

    @classmethod
    def from_yaml(cls, path: Path | None = None) -> BreastSettings:
        """Read a file, by default the packaged one; SettingsError says what is wrong with it."""
        return read_settings_file(cls, path or PACKAGED)

    def replacing(self, **options: Any) -> BreastSettings:
        """The same settings with other fit options, where they are not None."""
        given = {name: value for name, value in options.items() if value is not None}
        return dataclasses.replace(self, fit=dataclasses.replace(self.fit, **given))
