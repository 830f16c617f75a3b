"""How a training round learns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from samantic.training import FitOptions, SettingsError


@dataclass(frozen=True)
class RetrainOptions:
    """Options of one round; SettingsError for a value out of range.

    At most `epochs` epochs, each a validation after about `samples_per_epoch` slices; the round ends early after
    `patience` epochs without a better score. Of every volume at most `slices_per_volume` slices along each of `axes`
    in turn are learned from, `empty_share` of them without a label. `validation_share` of the images are held out, or
    exactly `validation_ids` where given (none of them: the round is measured on what it learns from).
    `prompt_free_width` is that of a new head where the network has none. `naming_steps` steps on prompts teach the
    semantic path classes that came late (0 leaves it alone). `distillation_weight` is that of the old network's answers
    and `rehearsal_share` the part of a batch drawn from pictures without labels: those that are given, and about
    `phantom_pictures` of made-up ones where there is something to forget. At most
    `feature_bytes` of embeddings are held in memory, the others are fetched from the cache whenever they are drawn.
    `descriptions` say what classes look like that the vocabulary does not have. `data_set` is the name of the images
    in the manifest of the weights. `mixed_precision` is "no" or "bf16", which some processors do twice as fast.
    """

    epochs: int = 8
    samples_per_epoch: int = 240
    batch_size: int = 8
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    average_decay: float = 0.95
    patience: int = 4
    axes: tuple[int, ...] = (2,)
    slices_per_volume: int = 12
    empty_share: float = 0.2
    validation_share: float = 0.2
    validation_ids: frozenset[str] | None = None
    prompt_free_width: int = 48
    naming_steps: int = 100
    naming_learning_rate: float = 3e-3
    distillation_weight: float = 2.0
    rehearsal_share: float = 0.25
    phantom_pictures: int = 20
    feature_bytes: int = 2 * 1024**3
    descriptions: Mapping[str, str] = field(default_factory=dict)
    data_set: str = "studies"
    mixed_precision: str = "no"
    seed: int = 17
    device: str | None = None

    def __post_init__(self) -> None:
        for name, low, high in (
            ("epochs", 1, 10_000),
            ("samples_per_epoch", 1, 1_000_000),
            ("batch_size", 1, 1024),
            ("patience", 1, 10_000),
            ("slices_per_volume", 1, 10_000),
            ("empty_share", 0, 1),
            ("validation_share", 0, 0.9),
            ("naming_steps", 0, 100_000),
            ("distillation_weight", 0, 1e6),
            ("rehearsal_share", 0, 0.9),
            ("phantom_pictures", 0, 1000),
            ("feature_bytes", 0, 2**50),
            ("average_decay", 0, 1),
        ):
            if not low <= getattr(self, name) <= high:
                raise SettingsError(f"{name} must be {low} to {high}, not {getattr(self, name)}.")
        if not self.axes or len(set(self.axes)) != len(self.axes) or not set(self.axes) <= {0, 1, 2}:
            raise SettingsError(f"axes must be some of 0, 1 and 2, each once, not {self.axes}.")
        if self.mixed_precision not in ("no", "bf16"):
            raise SettingsError(f"mixed_precision must be no or bf16, not {self.mixed_precision!r}.")
        # These know their own ranges.
        self.fit_options(1)

    def fit_options(self, steps: int) -> FitOptions:
        """The same as options of the common optimiser and schedule, for a round of so many steps."""
        return FitOptions(
            steps=steps,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            average_decay=self.average_decay,
            seed=self.seed,
        )
