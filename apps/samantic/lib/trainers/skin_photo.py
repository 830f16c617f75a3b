"""The train task `skin_photo`: the network learns skin and lesions from people's labels of real photographs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from monailabel.interfaces.datastore import Datastore

from samantic.app.lib.trainers.publishing import REFUSALS, PublishingTrainer
from samantic.app.lib.trainers.skin_photo_request import (
    SkinTrainingRequest,
    read_skin_training_request,
    stock_config,
)
from samantic.app.lib.trainers.skin_photographs import SkinMaterial, skin_material
from samantic.app.lib.trainers.training_record import TrainingRecord
from samantic.skinphoto.checkpoint import SkinPhotoWeightsError
from samantic.skinphoto.training.retraining import RetrainedSkinPhoto, retrain
from samantic.training.model_store import ModelStore


class SkinPhotoTrainer(PublishingTrainer[SkinTrainingRequest, SkinMaterial, RetrainedSkinPhoto]):
    """A round for the network of skin photographs, from the weights that are served. Source: ours."""

    model = "skin_photo"
    refusals: ClassVar = {**REFUSALS, SkinPhotoWeightsError: 422}

    def __init__(self, store: ModelStore, start: Path) -> None:
        super().__init__("Skin and lesions in ordinary photographs are learned from their final labels", store, start)

    def config(self) -> dict[str, Any]:
        """Return the parameters with their defaults."""
        return stock_config()

    def read(self, params: Mapping[str, Any]) -> SkinTrainingRequest:
        """Read and check the parameters. Raises RequestError."""
        return read_skin_training_request(params)

    def gather(self, datastore: Datastore, asked: SkinTrainingRequest, start: Path) -> SkinMaterial:  # noqa: ARG002
        """Collect the labelled photographs. Raises RequestError."""
        return skin_material(datastore, asked)

    def learn(
        self, start: Path, material: SkinMaterial, asked: SkinTrainingRequest, record: TrainingRecord
    ) -> RetrainedSkinPhoto:
        """Train on the photographs."""
        learned = retrain(start, material.images, asked.options, on_epoch=record.epoch)
        return replace(learned, left_out=(*material.left_out, *learned.left_out))
