"""All that a generator's run is made of, as it stands in a YAML file."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from samantic.besadiff.generator.config import GeneratorConfig
from samantic.training import FitOptions, read_settings_file
from samantic.training.settings import SettingsError

PACKAGED = Path(__file__).with_name("generator.yaml")
"""How the bundled generator is trained."""


@dataclass(frozen=True)
class GeneratorSettings:
    """`drop_all` the share of pictures shown without any condition, `drop_each` that of each part of the others.

    SettingsError: a setting is out of range.
    """

    network: GeneratorConfig = field(default_factory=GeneratorConfig)
    drop_all: float = 0.12
    drop_each: float = 0.15
    fit: FitOptions = field(default_factory=FitOptions)

    def __post_init__(self) -> None:
        for name in ("drop_all", "drop_each"):
            if not 0 <= getattr(self, name) < 1:
                raise SettingsError(f"{name} must be at least 0 and less than 1, not {getattr(self, name)}.")

    @classmethod
    def from_yaml(cls, path: Path | None = None) -> GeneratorSettings:
        """Read a file, by default the packaged one; SettingsError says what is wrong with it."""
        return read_settings_file(cls, path or PACKAGED)

    def replacing(self, **options: Any) -> GeneratorSettings:
        """The same settings with other fit options, where they are not None."""
        given = {name: value for name, value in options.items() if value is not None}
        return dataclasses.replace(self, fit=dataclasses.replace(self.fit, **given))
