"""How a training round on people's labels learns."""

from __future__ import annotations

from dataclasses import dataclass

from samantic.training import FitOptions, SettingsError


@dataclass(frozen=True)
class SkinRetrainOptions:
    """Options of one round; SettingsError for a value out of range.

    At most `epochs` epochs, each a validation after `steps_per_epoch` steps of `batch_size` photographs; the round ends
    early after `patience` epochs without a better score. `validation_share` of the photographs are held out, or exactly
    `validation_ids` where given. At most `most_images` photographs are held in memory. `data_set` is their name in the
    manifest of the weights.
    """

    epochs: int = 6
    steps_per_epoch: int = 30
    batch_size: int = 8
    learning_rate: float = 3e-4
    weight_decay: float = 0.02
    average_decay: float = 0.97
    patience: int = 3
    validation_share: float = 0.2
    validation_ids: frozenset[str] | None = None
    most_images: int = 1000
    data_set: str = "studies"
    seed: int = 17
    device: str | None = None

    def __post_init__(self) -> None:
        for name, low, high in (
            ("epochs", 1, 10_000),
            ("steps_per_epoch", 1, 100_000),
            ("batch_size", 1, 1024),
            ("patience", 1, 10_000),
            ("validation_share", 0, 0.9),
            ("most_images", 2, 100_000),
        ):
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
