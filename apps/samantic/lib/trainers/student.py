"""The train task of a Mamba student: it learns from final labels, from a teacher, and from images without a label."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from monailabel.interfaces.datastore import Datastore

from samantic.app.lib.trainers.publishing import REFUSALS, PublishingTrainer
from samantic.app.lib.trainers.student_images import StudentMaterial, student_material
from samantic.app.lib.trainers.student_request import (
    StudentTrainingRequest,
    read_student_training_request,
    stock_config,
)
from samantic.app.lib.trainers.training_record import TrainingRecord
from samantic.sam import WeightsError
from samantic.student import PromptableTeacher, StudentError, Teacher, load_student
from samantic.student.training.retraining import RetrainedStudent, retrain
from samantic.training.model_store import ModelStore


class StudentTrainer(PublishingTrainer[StudentTrainingRequest, StudentMaterial, RetrainedStudent]):
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
        return stock_config()

    def read(self, params: Mapping[str, Any]) -> StudentTrainingRequest:
        """Read and check the parameters. Raises RequestError."""
        return read_student_training_request(params)

    def gather(self, datastore: Datastore, asked: StudentTrainingRequest, start: Path) -> StudentMaterial:
        """Collect the images. Raises RequestError, and StudentError for weights that are none."""
        return student_material(datastore, asked, load_student(start).network.config.class_names)

    def learn(
        self, start: Path, material: StudentMaterial, asked: StudentTrainingRequest, record: TrainingRecord
    ) -> RetrainedStudent:
        """Train on the images."""
        teacher = self._teacher() if asked.options.lessons().asks_teacher else None
        learned = retrain(
            start, material.images, material.unlabelled, asked.options, teacher=teacher, on_epoch=record.epoch
        )
        return replace(learned, left_out=(*material.left_out, *learned.left_out))

    def notes(self, material: StudentMaterial) -> dict[str, Any]:
        """Return how many images without a label there were to learn from."""
        return {"without_label": len(material.unlabelled)}
