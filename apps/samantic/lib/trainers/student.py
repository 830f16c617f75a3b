"""The train task of a Mamba student: it learns from final labels, from a teacher, and from images without a label."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

from monailabel.interfaces.datastore import Datastore

from samantic.app.lib.trainers.labelled_images import files_without_label
from samantic.app.lib.trainers.publishing import REFUSALS, PublishingTrainer
from samantic.app.lib.trainers.round_images import RoundImages, round_images
from samantic.app.lib.trainers.round_request import RoundParameters, RoundRequest
from samantic.app.lib.trainers.training_record import TrainingRecord
from samantic.datasets.studies import LabelledImage, canonical
from samantic.sam import WeightsError
from samantic.student import PromptableTeacher, StudentError, Teacher, load_student
from samantic.student.training.retraining import RetrainedStudent, StudentRetrainOptions, retrain
from samantic.training.model_store import ModelStore

PARAMETERS = RoundParameters(
    StudentRetrainOptions,
    whole_numbers=(
        *("epochs", "steps_per_epoch", "batch_size", "patience"),
        *("slices", "most_unlabelled", "unlabelled", "seed"),
    ),
    numbers=("learning_rate", "validation_share", "distillation", "likeness", "guesses"),
)

Request: TypeAlias = RoundRequest[StudentRetrainOptions]


@dataclass(frozen=True)
class StudentImages(RoundImages):
    """Also the files without a label."""

    unlabelled: tuple[Path, ...]


class StudentTrainer(PublishingTrainer[Request, StudentImages, RetrainedStudent]):
    """A semi-supervised round, from the weights that are served; `teacher` is loaded when it begins. Source: ours."""

    refusals: ClassVar = {**REFUSALS, StudentError: 422, WeightsError: 422}

    def __init__(
        self,
        store: ModelStore,
        start: Path,
        teacher: Callable[[], Teacher] = PromptableTeacher.usual,
        name: str = "student",
    ) -> None:
        super().__init__(
            "A student learns from the final labels of the studies and, taught by a promptable model, from the images "
            "without one",
            store,
            start,
        )
        self.model = name
        self._teacher = teacher

    def config(self) -> dict[str, Any]:
        """Return the parameters with their defaults."""
        return PARAMETERS.config()

    def read(self, params: Mapping[str, Any]) -> Request:
        """Read and check the parameters. Raises RequestError."""
        return PARAMETERS.read(params)

    def gather(self, datastore: Datastore, asked: Request, start: Path) -> StudentImages:
        """Collect the images. Raises RequestError, and StudentError for weights that are none."""
        known = tuple(sorted(load_student(start).network.config.class_names))

        def usable(image: LabelledImage) -> LabelledImage | None:
            meant = {value: canonical(word) for value, word in image.class_of_value.items()}
            named = {value: name for value, name in meant.items() if name in known}
            return replace(image, class_of_value=named) if named else None

        what = f"{', '.join(known)} in a real image"
        found = round_images(datastore, asked.options.validation_ids, known, what, usable)
        return StudentImages(found.images, found.left_out, known, files_without_label(datastore))

    def learn(self, start: Path, material: StudentImages, asked: Request, record: TrainingRecord) -> RetrainedStudent:
        """Train on the images."""
        teacher = self._teacher() if asked.options.lessons().asks_teacher else None
        learned = retrain(
            start, material.images, material.unlabelled, asked.options, teacher=teacher, on_epoch=record.epoch
        )
        return replace(learned, left_out=(*material.left_out, *learned.left_out))

    def notes(self, material: StudentImages) -> dict[str, Any]:
        """Return how many images without a label there were to learn from."""
        return {"without_label": len(material.unlabelled)}
