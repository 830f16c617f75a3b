"""What every train task does: learns from the final labels, and publishes what it learned if it is not worse."""

from __future__ import annotations

import os
import sys
from abc import abstractmethod
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from fastapi import HTTPException
from monailabel.interfaces.datastore import Datastore
from monailabel.interfaces.tasks.train import TrainTask

from samantic import __version__
from samantic.app.lib.infers.wire import RequestError, sentence
from samantic.app.lib.trainers.labelled_images import labelled_ids
from samantic.app.lib.trainers.parameters import CURRENT
from samantic.app.lib.trainers.parent import is_task_process
from samantic.app.lib.trainers.training_record import TrainingRecord, last_statistics
from samantic.segsam.checkpoint import file_hash
from samantic.segsam.training.retraining import LearnedRound
from samantic.training import TrainingError
from samantic.training.model_store import BUNDLED, ModelStore, ModelStoreError, PublishedModel, StoreBusyError
from samantic.vocabulary import UnknownClassError

NICENESS = 5
"""A training gives way to whoever waits for an answer on the same cores."""

REFUSALS: Mapping[type[Exception], int] = {
    RequestError: 422,
    UnknownClassError: 422,
    ModelStoreError: 422,
    TrainingError: 422,
    StoreBusyError: 409,
}


class Options(Protocol):
    """Of a round; the images that it is measured on where somebody chose them."""

    @property
    def validation_ids(self) -> frozenset[str] | None: ...


class Asked(Protocol):
    """A checked request for a training; `initial` is "current", "bundled" or a version."""

    @property
    def initial(self) -> str: ...

    @property
    def options(self) -> Options: ...


class Gathered(Protocol):
    """What there is to learn from, as far as every model's notes tell of it."""

    @property
    def count(self) -> int:
        """How many labelled images."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """Which classes their labels show, sorted."""


Request = TypeVar("Request", bound=Asked)
Material = TypeVar("Material", bound=Gathered)
Round = TypeVar("Round", bound=LearnedRound)


class PublishingTrainer(TrainTask, Generic[Request, Material, Round]):
    """A round of training behind `POST /train/<model>`; MONAI Label runs it in a process of its own.

    One training at a time for all servers that share the store's folder. What is published serves from the next
    request on; nothing is published if validation got worse. `start` are the weights before anything was published.
    Source: ours.
    """

    model: str
    """What the notes of its versions call it."""

    refusals: ClassVar[Mapping[type[Exception], int]] = REFUSALS
    """What a round may raise that a person can mend -> HTTP status."""

    def __init__(self, description: str, store: ModelStore, start: Path) -> None:
        super().__init__(description)
        self._store = store
        self._start = start

    @property
    def store(self) -> ModelStore:
        """Where the versions of the model are."""
        return self._store

    @abstractmethod
    def read(self, params: Mapping[str, Any]) -> Request:
        """Read and check the parameters. Raises RequestError."""

    @abstractmethod
    def gather(self, datastore: Datastore, asked: Request, start: Path) -> Material:
        """Collect what is learned from. Raises RequestError where there is nothing."""

    @abstractmethod
    def learn(self, start: Path, material: Material, asked: Request, record: TrainingRecord) -> Round:
        """Train from the weights `start`; `left_out` of the round tells of the material, too."""

    def notes(self, material: Material) -> dict[str, Any]:  # noqa: ARG002  a model without more to tell
        """Return what this model's versions note beside what all do."""
        return {}

    def stats(self) -> dict[str, Any]:
        """Return the statistics of the training in progress or, without one, of the last."""
        return last_statistics(self._store.folder)

    def refuse_early(self, params: Mapping[str, Any], datastore: Datastore, waits: bool) -> None:
        """Raise HTTPException for what would make the training end as soon as it has begun.

        Reads no image and no weights; what only they can tell is refused by the training itself. waits: it begins when
        the one before is done.
        """
        try:
            asked = self.read(params)
            self._origin(asked)
            if not labelled_ids(datastore, asked.options.validation_ids):
                raise RequestError("There is nothing to learn from: no image has a final label.")
            if not waits:
                with self._store.alone():
                    pass
        except tuple(self.refusals) as error:
            raise self._refusal(error) from error

    def __call__(self, request: Mapping[str, Any], datastore: Datastore) -> dict[str, Any]:
        """Train, and return the statistics. Raises HTTPException, or ends a process of its own with one sentence."""
        if is_task_process() and hasattr(os, "nice"):
            os.nice(NICENESS)
        try:
            asked = self.read(request)
            with self._store.alone():
                return self._train(asked, datastore)
        except tuple(self.refusals) as error:
            if is_task_process():
                # A trace would hide the sentence: the server keeps the last twenty lines.
                sys.exit(sentence(error))
            raise self._refusal(error) from error

    def _train(self, asked: Request, datastore: Datastore) -> dict[str, Any]:
        self._store.clean_up()
        parent = self._origin(asked)
        start, origin = (self._start, BUNDLED) if parent is None else (parent.path, parent.version)
        material = self.gather(datastore, asked, start)
        began = datetime.now(timezone.utc)
        record = TrainingRecord(self._store.folder)
        record.say(images=material.count, initial=origin)
        learned = self.learn(start, material, asked, record)
        version = None
        if learned.is_better_or_equal:
            record.say(publishing=True)
            notes = {
                "model": self.model,
                "started_at": began.isoformat(timespec="seconds"),
                "seconds": round(learned.seconds, 1),
                "parent": origin,
                "parent_sha256": file_hash(start),
                "learned_from": list(learned.learned_from),
                "held_out": list(learned.held_out),
                "classes": list(material.class_names),
                "new_classes": list(learned.new_classes),
                "validation": {"before": dict(learned.before), "after": dict(learned.after)},
                "epochs": len(learned.epochs),
                "left_out": list(learned.left_out),
                "software": f"samantic {__version__}",
                **self.notes(material),
            }
            version = self._store.publish(learned.save, notes).version
        return record.done(learned, version)

    def _origin(self, asked: Request) -> PublishedModel | None:
        """The version to start from, None for the weights before the first."""
        if asked.initial == CURRENT:
            return self._store.current()
        if asked.initial == BUNDLED:
            return None
        found = [model for model in self._store.history() if int(model.version) == int(asked.initial)]
        if not found:
            raise RequestError(f"'initial' is '{asked.initial}', but no such version of the model was published.")
        return found[0]

    def _refusal(self, error: Exception) -> HTTPException:
        status = next(status for kind, status in self.refusals.items() if isinstance(error, kind))
        return HTTPException(status, sentence(error))
