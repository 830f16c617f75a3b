"""The train task `breast`: mask and diagnosis are learned from the final labels of breast ultrasound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from monailabel.interfaces.datastore import Datastore

from samantic.app.lib.trainers.breast_images import BreastMaterial, breast_material
from samantic.app.lib.trainers.breast_request import (
    BreastTrainingRequest,
    read_breast_training_request,
    stock_config,
)
from samantic.app.lib.trainers.publishing import REFUSALS, PublishingTrainer
from samantic.app.lib.trainers.training_record import TrainingRecord
from samantic.breast import BreastFileError
from samantic.breast.training.retraining import RetrainedBreast, retrain
from samantic.training.model_store import ModelStore


class BreastTrainer(PublishingTrainer[BreastTrainingRequest, BreastMaterial, RetrainedBreast]):
    """A round for the heads of the network, from the weights that are served; the encoder stays. Source: ours."""

    model = "breast"
    refusals: ClassVar = {**REFUSALS, BreastFileError: 422}

    def __init__(self, store: ModelStore, start: Path) -> None:
        super().__init__(
            "Learns lesions and diagnoses from the final labels of breast ultrasound: segments called breast lesion, "
            "benign or malignant, and empty labels of normal breasts",
            store,
            start,
        )

    def config(self) -> dict[str, Any]:
        """Return the parameters with their defaults."""
        return stock_config()

    def read(self, params: Mapping[str, Any]) -> BreastTrainingRequest:
        """Read and check the parameters. Raises RequestError."""
        return read_breast_training_request(params)

    def gather(self, datastore: Datastore, asked: BreastTrainingRequest, start: Path) -> BreastMaterial:  # noqa: ARG002
        """Collect the labelled images. Raises RequestError."""
        return breast_material(datastore, asked)

    def learn(
        self, start: Path, material: BreastMaterial, asked: BreastTrainingRequest, record: TrainingRecord
    ) -> RetrainedBreast:
        """Train on the images."""
        learned = retrain(start, material.images, asked.options, on_epoch=record.epoch)
        return replace(learned, left_out=(*material.left_out, *learned.left_out))
