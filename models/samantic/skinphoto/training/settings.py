"""All that a run is made of, as it stands in a YAML file."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from samantic.skinphoto.network import SkinPhotoConfig
from samantic.training import FitOptions, SettingsError, read_settings_file

PACKAGED = Path(__file__).with_name("skin-photo.yaml")
"""How the bundled network is trained."""


@dataclass(frozen=True)
class SmallerComposites:
    """Composites of `side` * `side` pixels up to the share `until` of the steps."""

    side: int
    until: float


@dataclass(frozen=True)
class SkinPhotoSettings:
    """The network, what its encoder starts from, and how long it is trained. SettingsError: one is out of range.

    `encoder_weights` is None for a random start, or the name of weights that segmentation-models-pytorch downloads,
    such as imagenet. Composites are drawn as large as the network is to see them, `smaller_first`, which is quicker.
    """

    network: SkinPhotoConfig = field(default_factory=SkinPhotoConfig)
    encoder_weights: str | None = None
    smaller_first: tuple[SmallerComposites, ...] = ()
    fit: FitOptions = field(default_factory=FitOptions)

    def __post_init__(self) -> None:
        shares, stride = [stage.until for stage in self.smaller_first], self.network.output_stride
        if shares != sorted(set(shares)) or not all(0 < share < 1 for share in shares):
            raise SettingsError(f"The shares in smaller_first must rise between 0 and 1, not {shares}.")
        for stage in self.smaller_first:
            if stage.side % stride or stage.side < 4 * stride:
                raise SettingsError(
                    f"A side in smaller_first must be a multiple of {stride} from {4 * stride} on, not {stage.side}."
                )

    def side_at(self, step: int) -> int:
        """How large the composites of a step are drawn, in pixels along both sides."""
        stages = (stage.side for stage in self.smaller_first if step < stage.until * self.fit.steps)
        return next(stages, self.network.side)

    @classmethod
    def from_yaml(cls, path: Path | None = None) -> SkinPhotoSettings:
        """Read a file, by default the packaged one; SettingsError says what is wrong with it."""
        return read_settings_file(cls, path or PACKAGED)

    def replacing(self, **options: Any) -> SkinPhotoSettings:
        """The same settings with other fit options, where they are not None."""
        given = {name: value for name, value in options.items() if value is not None}
        return dataclasses.replace(self, fit=dataclasses.replace(self.fit, **given))
