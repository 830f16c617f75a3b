"""All that a run of the segmenter is made of, as it stands in a YAML file."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from samantic.besadiff.dermosegdiff import DermoSegDiffConfig
from samantic.besadiff.training.segmenter_fit import SegmenterLoss
from samantic.training import FitOptions, read_settings_file

PACKAGED_SEGMENTER = Path(__file__).with_name("besadiff-segmenter.yaml")
"""How the bundled segmenter is trained."""


@dataclass(frozen=True)
class SegmenterSettings:
    """The network, its loss, and how long it is trained. SettingsError: a setting is out of range."""

    network: DermoSegDiffConfig = field(default_factory=DermoSegDiffConfig)
    loss: SegmenterLoss = field(default_factory=SegmenterLoss)
    fit: FitOptions = field(default_factory=FitOptions)

    @classmethod
    def from_yaml(cls, path: Path | None = None) -> SegmenterSettings:
        """Read a file, by default the packaged one; SettingsError says what is wrong with it."""
        return read_settings_file(cls, path or PACKAGED_SEGMENTER)

    def replacing(self, **options: Any) -> SegmenterSettings:
        """The same settings with other fit options, where they are not None."""
        given = {name: value for name, value in options.items() if value is not None}
        return dataclasses.replace(self, fit=dataclasses.replace(self.fit, **given))
