"""The train task `segsam`: learns from the final labels, and publishes what it learned if it is not worse."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Protocol

from fastapi import HTTPException
from monailabel.interfaces.datastore import Datastore
from monailabel.interfaces.tasks.train import TrainTask

from samantic import __version__
from samantic.app.lib.infers.wire import RequestError, sentence
from samantic.app.lib.trainers.labelled_images import Material, material_of
from samantic.app.lib.trainers.parent import is_task_process
from samantic.app.lib.trainers.training_record import TrainingRecord, last_statistics
from samantic.app.lib.trainers.training_request import (
    CURRENT,
    TrainingRequest,
    read_training_request,
    stock_config,
)
from samantic.sam import EmbeddingCache
from samantic.segsam.checkpoint import CheckpointError, file_hash, load_network
from samantic.segsam.training.retraining import Retrained, retrain
from samantic.training import TrainingError
from samantic.training.model_store import BUNDLED, ModelStore, ModelStoreError, PublishedModel, StoreBusyError
from samantic.vocabulary import UnknownClassError

REFUSALS = {
    RequestError: 422,
    UnknownClassError: 422,
    ModelStoreError: 422,
    TrainingError: 422,
    CheckpointError: 422,
    StoreBusyError: 409,
}

NICENESS = 5
"""A training gives way to whoever waits for an answer on the same cores."""


class Retraining(Protocol):
    """`samantic.segsam.training.retraining.retrain`, as it is called here."""

    def __call__(self, start: Path, images: Any, options: Any, /, **more: Any) -> Retrained:
        """Learn from labelled images."""


class SegSamTrainer(TrainTask):
    """A round of training behind `POST /train/segsam`; MONAI Label runs it in a process of its own.

    One training at a time for all servers that share the store's folder. What is published serves from the next
    request on; nothing is published if validation got worse. `start` are the weights before anything was published.
    Source: ours.
    """

    def __init__(
        self,
        store: ModelStore,
        start: Path,
        open_cache: Callable[[], EmbeddingCache | None],
        retrain: Retraining = retrain,
    ) -> None:
        super().__init__("SEG-SAM learns from the final labels of the studies; a class that is new needs a few of them")
        self._store = store
        self._start = start
        self._open_cache = open_cache
        self._retrain = retrain

    def config(self) -> dict[str, Any]:
        """Return the parameters with their defaults."""
        return stock_config()

    def stats(self) -> dict[str, Any]:
        """Return the statistics of the training in progress or, without one, of the last."""
        return last_statistics(self._store.folder)

    def refuse_early(self, params: Mapping[str, Any], datastore: Datastore, waits: bool) -> None:
        """Raise HTTPException for what would make the training end as soon as it has begun.

        Reads no image and no weights; what only they can tell is refused by the training itself. waits: it begins when
        the one before is done.
        """
        try:
            asked = read_training_request(params)
            self._origin(asked)
            if not datastore.get_labeled_images():
                raise RequestError("There is nothing to learn from: no image has a final label.")
            if not waits:
                with self._store.alone():
                    pass
        except tuple(REFUSALS) as error:
            raise _refusal(error) from error

    def __call__(self, request: Mapping[str, Any], datastore: Datastore) -> dict[str, Any]:
        """Train, and return the statistics. Raises HTTPException, or ends a process of its own with one sentence."""
        if is_task_process() and hasattr(os, "nice"):
            os.nice(NICENESS)
        try:
            asked = read_training_request(request)
            with self._store.alone():
                return self._train(asked, datastore)
        except tuple(REFUSALS) as error:
            if is_task_process():
                # A trace would hide the sentence: the server keeps the last twenty lines.
                sys.exit(sentence(error))
            raise _refusal(error) from error

    def _train(self, asked: TrainingRequest, datastore: Datastore) -> dict[str, Any]:
        self._store.clean_up()
        parent = self._origin(asked)
        start = self._start if parent is None else parent.path
        material = material_of(datastore, asked, load_network(start).config.class_names)
        began = datetime.now(timezone.utc)
        record = TrainingRecord(self._store.folder)
        record.say(images=len(material.images), initial=BUNDLED if parent is None else parent.version)
        retrained = self._retrain(
            start,
            material.images,
            asked.options,
            cache=self._open_cache(),
            on_epoch=record.epoch,
            rehearsal=material.without_label,
        )
        retrained = replace(retrained, left_out=(*material.left_out, *retrained.left_out))
        version = None
        if retrained.is_better_or_equal:
            record.say(publishing=True)
            notes = _notes(retrained, material, began, BUNDLED if parent is None else parent.version, start)
            version = self._store.publish(retrained.save, notes).version
        return record.done(retrained, version)

    def _origin(self, asked: TrainingRequest) -> PublishedModel | None:
        """The version to start from, None for the weights before the first."""
        if asked.initial == CURRENT:
            return self._store.current()
        if asked.initial == BUNDLED:
            return None
        found = [model for model in self._store.history() if int(model.version) == int(asked.initial)]
        if not found:
            raise RequestError(f"'initial' is '{asked.initial}', but no such version of the model was published.")
        return found[0]


def _notes(retrained: Retrained, material: Material, began: datetime, parent: str, start: Path) -> dict[str, Any]:
    return {
        "model": "segsam",
        "started_at": began.isoformat(timespec="seconds"),
        "seconds": round(retrained.seconds, 1),
        "parent": parent,
        "parent_sha256": file_hash(start),
        "learned_from": list(retrained.learned_from),
        "held_out": list(retrained.held_out),
        "classes": sorted({name for image in material.images for name in image.class_of_value.values()}),
        "new_classes": list(retrained.new_classes),
        "validation": {"before": dict(retrained.before), "after": dict(retrained.after)},
        "epochs": len(retrained.epochs),
        "left_out": list(retrained.left_out),
        "software": f"samantic {__version__}",
    }


def _refusal(error: Exception) -> HTTPException:
    status = next(status for kind, status in REFUSALS.items() if isinstance(error, kind))
    return HTTPException(status, sentence(error))
