"""All that a run is made of, as it stands in a YAML file."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from samantic.skinphoto.network import SkinPhotoConfig
from samantic.training import FitOptions, read_settings_file

PACKAGED = Path(__file__).with_name("skin-photo.yaml")
"""How the bundled network is trained."""


@dataclass(frozen=True)
class SkinPhotoSettings:
    """The network, what its encoder starts from, and how long it is trained. SettingsError: one is out of range.

    `encoder_weights` is None for a random start, or the name of weights that segmentation-models-pytorch downloads,
    such as imagenet.
    """

    network: SkinPhotoConfig = field(default_factory=SkinPhotoConfig)
    encoder_weights: str | None = None
    fit: FitOptions = field(default_factory=FitOptions)

    @classmethod
    def from_yaml(cls, path: Path | None = None) -> SkinPhotoSettings:
        """Read a file, by default the packaged one; SettingsError says what is wrong with it."""
        return read_settings_file(cls, path or PACKAGED)

    def replacing(self, **options: Any) -> SkinPhotoSettings:
        """The same settings with other fit options, where they are not None."""
        given = {name: value for name, value in options.items() if value is not None}
        return dataclasses.replace(self, fit=dataclasses.replace(self.fit, **given))
