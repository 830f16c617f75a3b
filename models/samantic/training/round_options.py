"""What every short training round on people's labels is told, whatever it trains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from samantic.training.options import FitOptions
from samantic.training.settings import SettingsError

Ranges = tuple[tuple[str, float, float], ...]


@dataclass(frozen=True)
class RoundOptions:
    """Options of one round; SettingsError for a value out of range.

    At most `epochs` epochs, each a validation after `steps_per_epoch` steps of `batch_size` pictures; the round ends
    early after `patience` epochs without a better score. `validation_share` of the labelled images are held out, or
    exactly `validation_ids` where given. At most `most_images` are held in memory. `data_set` is their name in the
    manifest of the weights.
    """

    epochs: int = 6
    steps_per_epoch: int = 40
    batch_size: int = 8
    learning_rate: float = 2e-4
    weight_decay: float = 0.02
    average_decay: float = 0.97
    patience: int = 3
    validation_share: float = 0.2
    validation_ids: frozenset[str] | None = None
    most_images: int = 2000
    data_set: str = "studies"
    seed: int = 17
    device: str | None = None

    ranges: ClassVar[Ranges] = (
        ("epochs", 1, 10_000),
        ("steps_per_epoch", 1, 100_000),
        ("batch_size", 1, 1024),
        ("patience", 1, 10_000),
        ("validation_share", 0, 0.9),
        ("most_images", 2, 100_000),
    )

    def __post_init__(self) -> None:
        for name, low, high in self.ranges:
            if not low <= getattr(self, name) <= high:
                raise SettingsError(f"{name} must be {low} to {high}, not {getattr(self, name)}.")
        # These know their own ranges.
        self.fit_options()

    def fit_options(self) -> FitOptions:
        """The same as options of the common optimiser and schedule, for the whole round."""
        return FitOptions(
            steps=self.epochs * self.steps_per_epoch,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            average_decay=self.average_decay,
            seed=self.seed,
        )
