"""What a training round comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samantic.segsam import TrainingManifest
from samantic.segsam.training.retraining import LearnedRound
from samantic.student.checkpoint import save_student
from samantic.student.network import MambaStudent


@dataclass(frozen=True, eq=False, kw_only=True)
class RetrainedStudent(LearnedRound):
    """A student after a round, with the manifest of all that it has learned from and the notes of the start.

    `unlabelled` are how many images without a label it has learned from as well.
    """

    network: MambaStudent
    manifest: TrainingManifest
    notes: Mapping[str, Any]
    unlabelled: int

    def save(self, path: Path) -> None:
        """Write a complete student, atomically."""
        save_student(self.network, path, manifest=self.manifest, notes=self.notes)
