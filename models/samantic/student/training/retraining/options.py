"""How a training round learns."""

from __future__ import annotations

from dataclasses import dataclass

from samantic.student.training.settings import Lessons
from samantic.training import FitOptions, SettingsError


@dataclass(frozen=True)
class StudentRetrainOptions:
    """Options of one round; SettingsError for a value out of range.

    At most `epochs` epochs, each a validation after `steps_per_epoch` steps of `batch_size` labelled pictures; the
    round ends early after `patience` epochs without a better score. `validation_share` of the labelled images are held
    out, or exactly `validation_ids` where given. At most `most_images` labelled images, `most_unlabelled` without a
    label, and `slices` of each volume are held in memory. `unlabelled` pictures a step are learned from without their
    label; `distillation`, `likeness` and `guesses` weigh what they teach, as `perturbation`, `distribution` and
    `pseudo_labels` of `Lessons`. `data_set` is the name of the images in the manifest of the weights.
    """

    epochs: int = 6
    steps_per_epoch: int = 40
    batch_size: int = 8
    learning_rate: float = 5e-4
    weight_decay: float = 0.02
    average_decay: float = 0.97
    patience: int = 3
    validation_share: float = 0.2
    validation_ids: frozenset[str] | None = None
    most_images: int = 2000
    most_unlabelled: int = 200
    slices: int = 24
    unlabelled: int = 4
    distillation: float = 0.5
    likeness: float = 0.1
    guesses: float = 0.1
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
            ("most_unlabelled", 0, 100_000),
            ("slices", 1, 10_000),
            ("unlabelled", 1, 1024),
            ("distillation", 0, 100),
            ("likeness", 0, 100),
            ("guesses", 0, 100),
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

    def lessons(self) -> Lessons:
        """What is learned beside the labels; a round goes on from a network that guesses well from its first step."""
        return Lessons(
            perturbation=self.distillation,
            distribution=self.likeness,
            pseudo_labels=self.guesses,
            unlabelled=self.unlabelled,
            perturbations=1,
            asked_at=(0.01,),
            taught=self.most_unlabelled,
        )
