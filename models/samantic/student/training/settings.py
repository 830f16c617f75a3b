"""All that a student's training is made of, as it stands in a YAML file."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from samantic.student.config import StudentConfig
from samantic.student.suitability import COLOUR, GREY_PICTURES
from samantic.student.training.augmentation import Movement
from samantic.training import FitOptions, SettingsError, read_settings_file


@dataclass(frozen=True)
class Lessons:
    """What is learned beside the labels; a weight of 0 leaves that loss out. SettingsError: out of range.

    `perturbation` weighs the distillation, `cosine` the likeness of the features within it; `distribution` and
    `pseudo_labels` rise over `ramp_share` of the steps. `unlabelled` pictures a step are seen twice, as they are and
    under one of `perturbations` that are drawn for each picture. The teacher is asked for masks of at most `taught`
    pictures once `asked_at` of the steps are done, each time anew; where it says nothing, pixels count whose share is
    at least `sure_from`.
    """

    perturbation: float = 1.0
    cosine: float = 0.5
    distribution: float = 0.5
    pseudo_labels: float = 0.1
    ramp_share: float = 0.4
    unlabelled: int = 8
    perturbations: int = 2
    asked_at: tuple[float, ...] = (0.3, 0.6)
    taught: int = 500
    sure_from: float = 0.9

    def __post_init__(self) -> None:
        for name, low, high in (
            ("perturbation", 0, 100),
            ("cosine", 0, 100),
            ("distribution", 0, 100),
            ("pseudo_labels", 0, 100),
            ("ramp_share", 0.001, 1),
            ("unlabelled", 1, 1024),
            ("perturbations", 1, 16),
            ("taught", 0, 1_000_000),
            ("sure_from", 0.5, 1),
        ):
            if not low <= getattr(self, name) <= high:
                raise SettingsError(f"{name} must be {low} to {high}, not {getattr(self, name)}.")
        if list(self.asked_at) != sorted(set(self.asked_at)) or not all(0 < share < 1 for share in self.asked_at):
            raise SettingsError(f"asked_at must be rising shares between 0 and 1, not {self.asked_at}.")

    @property
    def any(self) -> bool:
        """Whether anything is learned beside the labels."""
        return bool(self.perturbation or self.distribution or self.pseudo_labels)

    @property
    def asks_teacher(self) -> bool:
        return bool(self.perturbation or (self.pseudo_labels and self.taught))

    @classmethod
    def none(cls) -> Lessons:
        """Labels alone."""
        return cls(perturbation=0.0, distribution=0.0, pseudo_labels=0.0)


def movement_of(config: StudentConfig) -> Movement:
    """How far pictures of a student's domain may be moved and still be pictures of it (ours)."""
    if config.domain in COLOUR:
        return Movement()
    # An ultrasound has its skin above; a slice has a front and a back, which may be different classes.
    return Movement(turn_degrees=20, mirror=config.domain in GREY_PICTURES, scale=0.12)


@dataclass(frozen=True)
class StudentSettings:
    """The network, what it learns, how pictures are changed, and how long. SettingsError: a setting is out of range.

    Of the views of the set every `every`-th is learned from: slices that are neighbours are nearly alike.
    """

    network: StudentConfig = field(default_factory=StudentConfig)
    lessons: Lessons = field(default_factory=Lessons)
    movement: Movement = field(default_factory=Movement)
    fit: FitOptions = field(default_factory=FitOptions)
    data_set: str = "isic2017"
    every: int = 1

    def __post_init__(self) -> None:
        if self.every < 1:
            raise SettingsError(f"every must be 1 or more, not {self.every}.")

    @classmethod
    def from_yaml(cls, path: Path) -> StudentSettings:
        """Read a file; SettingsError says what is wrong with it."""
        return read_settings_file(cls, path)

    @classmethod
    def packaged(cls, name: str) -> StudentSettings:
        """How the student `name` is trained that is to come with the package; SettingsError lists those that are."""
        names = packaged_names()
        if name not in names:
            raise SettingsError(f"There is no packaged student '{name}'; there are {', '.join(names)}.")
        return cls.from_yaml(Path(__file__).with_name(f"{name}.yaml"))

    def replacing(self, **options: Any) -> StudentSettings:
        """The same settings with other fit options, where they are not None."""
        given = {name: value for name, value in options.items() if value is not None}
        return dataclasses.replace(self, fit=dataclasses.replace(self.fit, **given))


def packaged_names() -> tuple[str, ...]:
    """The names of the packaged settings."""
    return tuple(sorted(path.stem for path in Path(__file__).parent.glob("student-*.yaml")))
