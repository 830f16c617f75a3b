"""How a training round on people's labels learns."""

from __future__ import annotations

from dataclasses import dataclass

from samantic.training import RoundOptions


@dataclass(frozen=True)
class SkinRetrainOptions(RoundOptions):
    """Options of one round; photographs are large, so fewer are held. SettingsError for a value out of range."""

    steps_per_epoch: int = 30
    learning_rate: float = 3e-4
    most_images: int = 1000
