"""How a training round learns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from samantic.student.training.settings import Lessons
from samantic.training import Ranges, RoundOptions


@dataclass(frozen=True)
class StudentRetrainOptions(RoundOptions):
    """Options of one round; SettingsError for a value out of range.

    Besides the common ones: at most `most_unlabelled` images without a label, and `slices` of each volume are held in
    memory. `unlabelled` pictures a step are learned from without their label; `distillation`, `likeness` and `guesses`
    weigh what they teach, as `perturbation`, `distribution` and `pseudo_labels` of `Lessons`.
    """

    learning_rate: float = 5e-4
    most_unlabelled: int = 200
    slices: int = 24
    unlabelled: int = 4
    distillation: float = 0.5
    likeness: float = 0.1
    guesses: float = 0.1

    ranges: ClassVar[Ranges] = (
        *RoundOptions.ranges,
        ("most_unlabelled", 0, 100_000),
        ("slices", 1, 10_000),
        ("unlabelled", 1, 1024),
        ("distillation", 0, 100),
        ("likeness", 0, 100),
        ("guesses", 0, 100),
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
