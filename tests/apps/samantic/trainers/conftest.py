"""A datastore with final labels, and a round that learns nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import torch

from samantic.app.lib.datastore import SamanticDatastore
from samantic.segsam import SegSam, SegSamConfig
from samantic.segsam.training.retraining import EpochReport, Retrained, Scores


@pytest.fixture
def a_datastore(studies: Path) -> SamanticDatastore:
    """`ct`, `lesion` and `scan`, without labels."""
    return SamanticDatastore(studies)


@pytest.fixture
def save_label(a_datastore: SamanticDatastore, tmp_path: Path) -> Callable[..., None]:
    """Saves a final label of the volume `image_id` with what a client notes about it."""

    def save(notes: dict[str, Any], image_id: str = "ct", tag: str = "final") -> None:
        path = tmp_path / "label.nii.gz"
        voxels = np.zeros((8, 9, 5), np.uint8)
        voxels[2:5, 3:6, 1:4] = 1
        voxels[5:7, 3:6, 1:4] = 2
        nibabel.save(nibabel.Nifti1Image(voxels, np.diag([-1.0, -1.0, 2.0, 1.0])), path)
        a_datastore.save_label(image_id, str(path), tag, notes)

    return save


@dataclass
class StandInRound:
    """In the place of `retrain`: notes what it was asked, reports two epochs, and comes back with a grown network."""

    before: float = 0.5
    after: float = 0.6
    asked: list[Any] = field(default_factory=list)
    while_training: Callable[[], None] = lambda: None

    def __call__(self, start: Path, images: Any, options: Any, **more: Any) -> Retrained:
        from samantic.segsam.checkpoint import load_network

        self.asked.append((start, images, options, more))
        known = load_network(start).config.class_names
        found = dict.fromkeys(name for image in images for name in image.class_of_value.values())
        new = tuple(name for name in found if name not in known)
        before, after = Scores(self.before, {"liver": self.before}), Scores(self.after, {"liver": self.after})
        reports = tuple(EpochReport(n, 2, 0.25, before, after, n == 2, float(n)) for n in (1, 2))
        for report in reports:
            more["on_epoch"](report)
        self.while_training()
        torch.manual_seed(len(self.asked))
        network = SegSam(SegSamConfig((*known, *new), encoder="small", transformer_mlp_dim=64)).eval()
        ids = tuple(image.image_id for image in images)
        return Retrained(
            network=network,
            before=before.to_dict(),
            after=after.to_dict(),
            held_out=(),
            learned_from=ids,
            new_classes=new,
            left_out=("A remark.",),
            epochs=reports,
            seconds=2.0,
            calibration=None,
            manifest=None,
        )


@pytest.fixture
def a_round() -> StandInRound:
    return StandInRound()
