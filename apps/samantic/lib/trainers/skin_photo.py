"""The train task `skin_photo`: the network learns skin and lesions from people's labels of real photographs."""

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
from samantic.datasets.studies import LabelledImage, canonical
from samantic.skinphoto.checkpoint import SkinPhotoWeightsError
from samantic.skinphoto.classes import CLASS_NAMES
from samantic.skinphoto.training.retrain_options import SkinRetrainOptions
from samantic.skinphoto.training.retraining import RetrainedSkinPhoto, retrain
from samantic.training.model_store import ModelStore

PARAMETERS = RoundParameters(
    SkinRetrainOptions,
    whole_numbers=("epochs", "steps_per_epoch", "batch_size", "patience", "seed"),
    numbers=("learning_rate", "validation_share"),
)

Request: TypeAlias = RoundRequest[SkinRetrainOptions]

SKIN = CLASS_NAMES[0]


class SkinPhotoTrainer(PublishingTrainer[Request, RoundImages, RetrainedSkinPhoto]):
    """A round for the network of skin photographs, from the weights that are served. Source: ours."""

    model = "skin_photo"
    refusals: ClassVar = {**REFUSALS, SkinPhotoWeightsError: 422}

    def __init__(self, store: ModelStore, start: Path) -> None:
        super().__init__("Skin and lesions in ordinary photographs are learned from their final labels", store, start)

    def config(self) -> dict[str, Any]:
        """Return the parameters with their defaults."""
        return PARAMETERS.config()

    def read(self, params: Mapping[str, Any]) -> Request:
        """Read and check the parameters. Raises RequestError."""
        return PARAMETERS.read(params)

    def gather(self, datastore: Datastore, asked: Request, start: Path) -> RoundImages:  # noqa: ARG002
        """Collect the labelled photographs. Raises RequestError."""
        return round_images(datastore, asked.options.validation_ids, CLASS_NAMES, "skin in a real photograph", _usable)

    def learn(self, start: Path, material: RoundImages, asked: Request, record: TrainingRecord) -> RetrainedSkinPhoto:
        """Train on the photographs."""
        learned = retrain(start, material.images, asked.options, on_epoch=record.epoch)
        return replace(learned, left_out=(*material.left_out, *learned.left_out))


def _usable(image: LabelledImage) -> LabelledImage | None:
    """None where the label names no skin: it does not say where the background is."""
    named = {value: canonical(word) for value, word in image.class_of_value.items()}
    if SKIN not in named.values():
        return None
    return replace(image, class_of_value={value: name for value, name in named.items() if name in CLASS_NAMES})
