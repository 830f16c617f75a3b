"""The train task `segsam`: SEG-SAM learns where classes are and what they are called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from monailabel.interfaces.datastore import Datastore

from samantic.app.lib.trainers.labelled_images import Material, material_of
from samantic.app.lib.trainers.publishing import REFUSALS, PublishingTrainer
from samantic.app.lib.trainers.training_record import TrainingRecord
from samantic.app.lib.trainers.training_request import TrainingRequest, read_training_request, stock_config
from samantic.sam import EmbeddingCache
from samantic.segsam.checkpoint import CheckpointError, load_network
from samantic.segsam.training.retraining import Retrained, retrain
from samantic.training.model_store import ModelStore

Retraining = Callable[..., Retrained]
"""`samantic.segsam.training.retraining.retrain`, or what stands in its place."""


class SegSamTrainer(PublishingTrainer[TrainingRequest, Material, Retrained]):
    """A round for the head that needs no prompt and for names; the image encoder stays as it is. Source: ours."""

    model = "segsam"
    refusals: ClassVar = {**REFUSALS, CheckpointError: 422}

    def __init__(
        self,
        store: ModelStore,
        start: Path,
        open_cache: Callable[[], EmbeddingCache | None],
        retrain: Retraining = retrain,
    ) -> None:
        super().__init__(
            "SEG-SAM learns from the final labels of the studies; a class that is new needs a few of them", store, start
        )
        self._open_cache = open_cache
        self._retrain = retrain

    def config(self) -> dict[str, Any]:
        """Return the parameters with their defaults."""
        return stock_config()

    def read(self, params: Mapping[str, Any]) -> TrainingRequest:
        """Read and check the parameters. Raises RequestError."""
        return read_training_request(params)

    def gather(self, datastore: Datastore, asked: TrainingRequest, start: Path) -> Material:
        """Collect the labelled images. Raises RequestError."""
        return material_of(datastore, asked, load_network(start).config.class_names)

    def learn(self, start: Path, material: Material, asked: TrainingRequest, record: TrainingRecord) -> Retrained:
        """Train on slices of the labelled images; keep the old answers on some without a label."""
        learned = self._retrain(
            start,
            material.images,
            asked.options,
            cache=self._open_cache(),
            on_epoch=record.epoch,
            rehearsal=material.without_label,
        )
        return replace(learned, left_out=(*material.left_out, *learned.left_out))
