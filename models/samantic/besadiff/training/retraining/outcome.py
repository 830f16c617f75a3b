"""What a training round comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samantic.besadiff.checkpoint import save_part
from samantic.besadiff.dermosegdiff import DermoSegDiff
from samantic.segsam import TrainingManifest
from samantic.segsam.training.retraining import LearnedRound


@dataclass(frozen=True, eq=False, kw_only=True)
class RetrainedSegmenter(LearnedRound):
    """DermoSegDiff after a round, with the manifest of all that it has learned from and the notes of the start."""

    network: DermoSegDiff
    manifest: TrainingManifest
    notes: Mapping[str, Any]

    def save(self, path: Path) -> None:
        """Write a complete segmenter, atomically."""
        config = self.network.config.to_json()
        save_part("segmenter", self.network, config, path, manifest=self.manifest, notes=self.notes)
