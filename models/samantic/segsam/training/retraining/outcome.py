"""What a training round tells while it runs and when it is done."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samantic.segsam.calibration import Calibration
from samantic.segsam.checkpoint import save_network
from samantic.segsam.manifest import TrainingManifest
from samantic.segsam.network import SegSam


@dataclass(frozen=True)
class Scores:
    """`dice` by class, the mean over the validation images that show it or were said to; `mean_dice` over classes."""

    mean_dice: float
    dice: Mapping[str, float]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {"mean_dice": self.mean_dice, "dice": dict(self.dice)}


@dataclass(frozen=True)
class EpochReport:
    """One epoch, counted from 1: its mean training `loss`, the scores `before` the round and `after` this epoch.

    `is_best` says that these weights are the best so far; `seconds` since the round began.
    """

    epoch: int
    epochs: int
    loss: float
    before: Scores
    after: Scores
    is_best: bool
    seconds: float


@dataclass(frozen=True, eq=False, kw_only=True)
class LearnedRound(ABC):
    """What any model's round comes to: how the best epoch compares with the start on the same validation images.

    `before` and `after` are `Scores` as dicts. `held_out` are the ids of the validation images; there are none where a
    single image leaves nothing to hold out, and the scores are then of the images learned from, `learned_from`.
    `left_out` says in one line each which images could not be used, and why, or what else a person should know.
    """

    before: dict[str, Any]
    after: dict[str, Any]
    held_out: tuple[str, ...]
    learned_from: tuple[str, ...]
    new_classes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    epochs: tuple[EpochReport, ...] = ()
    seconds: float

    @property
    def is_better_or_equal(self) -> bool:
        """Whether the mean Dice did not fall."""
        return bool(self.after["mean_dice"] >= self.before["mean_dice"])

    @abstractmethod
    def save(self, path: Path) -> None:
        """Write the weights of the best epoch with all that a server needs, atomically."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Retrained(LearnedRound):
    """SEG-SAM after a round, with the calibration of the start and the manifest of all that it has learned from."""

    network: SegSam
    calibration: Calibration | None
    manifest: TrainingManifest | None

    def save(self, path: Path) -> None:
        """Write a complete checkpoint, atomically: the calibration of the start, the manifest with what was learned."""
        save_network(self.network.cpu(), path, calibration=self.calibration, manifest=self.manifest)
