"""The generator's configuration, as it travels in its checkpoint."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from samantic.training.settings import SettingsError, read_settings

LARGEST_SIDE = 512


@dataclass(frozen=True)
class GeneratorConfig:
    """`image_size` the pictures' side; `patch` pixels a side are one place of the network, `kept` of their components.

    `widths` are channels from the finest level to the coarsest, where attention is; `blocks` residual blocks a level;
    `noise_shift` the noise in the middle of the schedule, in units of a component. SettingsError: out of range.
    """

    image_size: int = 128
    patch: int = 4
    kept: int = 32
    widths: tuple[int, ...] = (64, 128, 192)
    blocks: int = 1
    noise_shift: float = 3.0

    def __post_init__(self) -> None:
        if not 1 <= len(self.widths) <= 6 or any(not 16 <= width <= 512 or width % 16 for width in self.widths):
            raise SettingsError(f"widths must be one to six multiples of 16 up to 512, not {list(self.widths)}.")
        if self.widths[-1] % 32:
            raise SettingsError(f"The last of the widths must be a multiple of 32, not {self.widths[-1]}.")
        if self.patch not in (1, 2, 4, 8, 16):
            raise SettingsError(f"patch must be 1, 2, 4, 8 or 16, not {self.patch}.")
        multiple = self.patch * 2 ** (len(self.widths) - 1)
        if not multiple <= self.image_size <= LARGEST_SIDE or self.image_size % multiple:
            raise SettingsError(
                f"image_size must be a multiple of {multiple} (patch and levels) up to {LARGEST_SIDE}, "
                f"not {self.image_size}."
            )
        if not 4 <= self.kept <= 4 * self.patch**2:
            raise SettingsError(f"kept must be 4 to {4 * self.patch**2} with this patch, not {self.kept}.")
        if not 1 <= self.blocks <= 4:
            raise SettingsError(f"blocks must be 1 to 4, not {self.blocks}.")
        if not 0.01 <= self.noise_shift <= 100:
            raise SettingsError(f"noise_shift must be 0.01 to 100, not {self.noise_shift}.")

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> GeneratorConfig:
        """Read what `to_json` wrote; ValueError says what is wrong with it."""
        return read_settings(cls, json.loads(text))
