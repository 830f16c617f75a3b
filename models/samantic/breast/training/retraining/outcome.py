"""What a training round comes to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samantic.breast.calibration import BreastCalibration
from samantic.breast.checkpoint import save_breast
from samantic.breast.network import BreastNetwork
from samantic.segsam import TrainingManifest
from samantic.segsam.training.retraining import LearnedRound, Scores


@dataclass(frozen=True)
class BreastScores:
    """On the same pictures: `masks`, and the mean -log of the right diagnosis' probability, None where none is known.

    `masks.mean_dice` is over all pictures, one without a lesion counting 1 if nothing is drawn into it and else 0;
    `masks.dice` over those with one.
    """

    masks: Scores
    diagnosis_loss: float | None

    def is_no_worse_than(self, other: BreastScores) -> bool:
        """Whether neither the masks nor the diagnoses got worse; a loss that is no number is worse than any."""
        masks_are = self.masks.mean_dice >= other.masks.mean_dice
        if self.diagnosis_loss is None or other.diagnosis_loss is None:
            return masks_are
        return masks_are and self.diagnosis_loss <= other.diagnosis_loss

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return self.masks.to_dict() | {"diagnosis_loss": self.diagnosis_loss}


@dataclass(frozen=True, eq=False, kw_only=True)
class RetrainedBreast(LearnedRound):
    """The network after a round, with the calibration of the start and the manifest of all that it has learned from."""

    network: BreastNetwork
    calibration: BreastCalibration | None
    manifest: TrainingManifest
    no_worse: bool

    @property
    def is_better_or_equal(self) -> bool:
        """Whether neither the mean Dice fell nor the diagnoses became less likely."""
        return self.no_worse

    def save(self, path: Path) -> None:
        """Write a complete network, atomically; the encoder has not moved, so what was familiar still is."""
        save_breast(self.network, path, manifest=self.manifest, calibration=self.calibration)
