"""The train task `breast`: mask and diagnosis are learned from the final labels of breast ultrasound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

from monailabel.interfaces.datastore import Datastore

from samantic.app.lib.trainers.publishing import REFUSALS, PublishingTrainer
from samantic.app.lib.trainers.round_images import RoundImages, round_images
from samantic.app.lib.trainers.round_request import RoundParameters, RoundRequest
from samantic.app.lib.trainers.training_record import TrainingRecord
from samantic.breast import BreastFileError
from samantic.breast.diagnosis import LESION, is_lesion_word
from samantic.breast.training.retraining import BreastRetrainOptions, RetrainedBreast, retrain
from samantic.datasets.studies import LabelledImage
from samantic.training.model_store import ModelStore

PARAMETERS = RoundParameters(
    BreastRetrainOptions,
    whole_numbers=("epochs", "steps_per_epoch", "batch_size", "patience", "seed"),
    numbers=("learning_rate", "validation_share"),
)

Request: TypeAlias = RoundRequest[BreastRetrainOptions]


class BreastTrainer(PublishingTrainer[Request, RoundImages, RetrainedBreast]):
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
        return PARAMETERS.config()

    def read(self, params: Mapping[str, Any]) -> Request:
        """Read and check the parameters. Raises RequestError."""
        return PARAMETERS.read(params)

    def gather(self, datastore: Datastore, asked: Request, start: Path) -> RoundImages:  # noqa: ARG002
        """Collect the labelled images. Raises RequestError."""
        return round_images(datastore, asked.options.validation_ids, (LESION,), "a lesion of the breast", _usable)

    def learn(self, start: Path, material: RoundImages, asked: Request, record: TrainingRecord) -> RetrainedBreast:
        """Train on the images."""
        learned = retrain(start, material.images, asked.options, on_epoch=record.epoch)
        return replace(learned, left_out=(*material.left_out, *learned.left_out))


def _usable(image: LabelledImage) -> LabelledImage | None:
    return image if any(is_lesion_word(word) for word in image.class_of_value.values()) else None
