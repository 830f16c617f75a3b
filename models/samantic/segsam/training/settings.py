"""All that a SEG-SAM run is made of, as it stands in a YAML file."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from samantic.segsam.config import SegSamConfig
from samantic.segsam.losses import SEMANTIC_WEIGHT
from samantic.training import FitOptions, SettingsError, read_settings, read_settings_file

PACKAGED = Path(__file__).with_name("segsam-tiny.yaml")
PACKAGED_LOOK = Path(__file__).with_name("segsam-tiny-look.yaml")
PACKAGED_PROMPT_FREE = Path(__file__).with_name("segsam-tiny-prompt-free.yaml")
"""How the bundled model is trained, and the look network and the prompt-free head beside it."""


@dataclass(frozen=True)
class SegSamSettings:
    """`network` the fields of SegSamConfig but for the classes, which the data bring; `shares` of the data sets.

    `initial_weights` of a network with the same parts and classes take the place of a random start, at any image size;
    those of a network without a semantic path, its encoder and binary path. `freeze_encoder` keeps the encoder still.
    `semantic_weight` is that of the semantic losses against the binary one.
    SettingsError: a setting is out of range, or there are no such weights.
    """

    shares: dict[str, float]
    network: dict[str, Any] = field(default_factory=dict)
    objects_per_image: int = 2
    initial_weights: Path | None = None
    freeze_encoder: bool = False
    semantic_weight: float = SEMANTIC_WEIGHT
    fit: FitOptions = field(default_factory=FitOptions)

    def __post_init__(self) -> None:
        if "class_names" in self.network:
            raise SettingsError("'network.class_names' is no setting: a network learns the classes that its data show.")
        if self.network.get("prompt_free_width") is not None:
            raise SettingsError(
                "'network.prompt_free_width' is no setting: `samantic train prompt-free` trains the prompt-free head."
            )
        if self.network.get("look_size") is not None:
            # This training would leave it as random as it began, and its masks would be those that people see.
            raise SettingsError("'network.look_size' is no setting: `samantic train look` trains the look network.")
        read_settings(SegSamConfig, {**self.network, "class_names": ["any"]}, "network")
        if self.initial_weights is not None and not self.initial_weights.is_file():
            # Said here, before minutes of reading data.
            raise SettingsError(f"There is no file {self.initial_weights} with initial weights.")
        if not self.semantic_weight >= 0:
            raise SettingsError(f"semantic_weight must be at least 0, not {self.semantic_weight}.")
        if self.objects_per_image < 1:
            raise SettingsError(f"objects_per_image must be at least 1, not {self.objects_per_image}.")

    @classmethod
    def from_yaml(cls, path: Path | None = None) -> SegSamSettings:
        """Read a file, by default the packaged one; SettingsError says what is wrong with it."""
        return read_settings_file(cls, path or PACKAGED)

    def config(self, class_names: tuple[str, ...]) -> SegSamConfig:
        """The network's configuration for the classes of the data."""
        return read_settings(SegSamConfig, {**self.network, "class_names": class_names}, "network")

    def replacing(self, initial_weights: Path | None = None, **options: Any) -> SegSamSettings:
        """The same settings with other fit options, where they are not None."""
        given = {name: value for name, value in options.items() if value is not None}
        return dataclasses.replace(
            self,
            initial_weights=initial_weights or self.initial_weights,
            fit=dataclasses.replace(self.fit, **given),
        )


@dataclass(frozen=True)
class LookSettings:
    """`look_size` and `look_width` as in SegSamConfig; `shares` of the data sets.

    SettingsError: a setting is out of range.
    """

    shares: dict[str, float]
    look_size: int = 128
    look_width: int = 24
    fit: FitOptions = field(default_factory=FitOptions)

    def __post_init__(self) -> None:
        look = {"look_size": self.look_size, "look_width": self.look_width}
        read_settings(SegSamConfig, {**look, "class_names": ["any"]})

    @classmethod
    def from_yaml(cls, path: Path | None = None) -> LookSettings:
        """Read a file, by default the packaged one; SettingsError says what is wrong with it."""
        return read_settings_file(cls, path or PACKAGED_LOOK)

    def replacing(self, **options: Any) -> LookSettings:
        """The same settings with other fit options, where they are not None."""
        given = {name: value for name, value in options.items() if value is not None}
        return dataclasses.replace(self, fit=dataclasses.replace(self.fit, **given))


@dataclass(frozen=True)
class PromptFreeSettings:
    """`width` of the prompt-free head; `shares` of the data sets. SettingsError: a setting is out of range."""

    shares: dict[str, float]
    width: int = 32
    fit: FitOptions = field(default_factory=FitOptions)

    def __post_init__(self) -> None:
        read_settings(SegSamConfig, {"prompt_free_width": self.width, "class_names": ["any"]})

    @classmethod
    def from_yaml(cls, path: Path | None = None) -> PromptFreeSettings:
        """Read a file, by default the packaged one; SettingsError says what is wrong with it."""
        return read_settings_file(cls, path or PACKAGED_PROMPT_FREE)

    def replacing(self, **options: Any) -> PromptFreeSettings:
        """The same settings with other fit options, where they are not None."""
        given = {name: value for name, value in options.items() if value is not None}
        return dataclasses.replace(self, fit=dataclasses.replace(self.fit, **given))
