"""The train task `besadiff`: the segmenter learns lesions from real and synthetic photographs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from monailabel.interfaces.datastore import Datastore

from samantic.app.lib.trainers.besadiff_request import (
    LesionTrainingRequest,
    read_lesion_training_request,
    stock_config,
)
from samantic.app.lib.trainers.lesion_images import LesionMaterial, lesion_material
from samantic.app.lib.trainers.publishing import REFUSALS, PublishingTrainer
from samantic.app.lib.trainers.training_record import TrainingRecord
from samantic.besadiff.checkpoint import PartError
from samantic.besadiff.training.retraining import RetrainedSegmenter, retrain
from samantic.training.model_store import ModelStore


class BesaDiffTrainer(PublishingTrainer[LesionTrainingRequest, LesionMaterial, RetrainedSegmenter]):
    """A round for DermoSegDiff, from the weights that are served; measured on real photographs only. Source: ours."""

    model = "besadiff"
    refusals: ClassVar = {**REFUSALS, PartError: 422}

    def __init__(self, store: ModelStore, start: Path) -> None:
        super().__init__(
            "BESA-Diff learns lesions from the final labels of photographs, real and synthetic", store, start
        )

    def config(self) -> dict[str, Any]:
        """Return the parameters with their defaults."""
        return stock_config()

    def read(self, params: Mapping[str, Any]) -> LesionTrainingRequest:
        """Read and check the parameters. Raises RequestError."""
        return read_lesion_training_request(params)

    def gather(self, datastore: Datastore, asked: LesionTrainingRequest, start: Path) -> LesionMaterial:  # noqa: ARG002
        """Collect the labelled photographs. Raises RequestError."""
        return lesion_material(datastore, asked)

    def learn(
        self, start: Path, material: LesionMaterial, asked: LesionTrainingRequest, record: TrainingRecord
    ) -> RetrainedSegmenter:
        """Train on the photographs."""
        learned = retrain(start, material.images, asked.options, on_epoch=record.epoch)
        return replace(learned, left_out=(*material.left_out, *learned.left_out))

    def notes(self, material: LesionMaterial) -> dict[str, Any]:
        """Return which of the images were synthetic."""
        return {"synthetic": sorted(image.image_id for image in material.images if image.is_synthetic)}
