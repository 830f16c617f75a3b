"""The models `student_…`: small networks that segment a whole image without a prompt, and learn from the labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from monailabel.interfaces.config import TaskConfig
from monailabel.interfaces.tasks.infer_v2 import InferTask
from monailabel.interfaces.tasks.train import TrainTask

from samantic.app.lib.infers.images import usual_images
from samantic.app.lib.infers.published_model import PublishedModel
from samantic.app.lib.infers.student import Student
from samantic.app.lib.initial_weights import STUDENTS
from samantic.app.lib.trainers.parent import tie_to_server
from samantic.app.lib.trainers.student import StudentTrainer
from samantic.sam import published_folder
from samantic.student import StudentError, StudentPredictor
from samantic.training.model_store import ModelStore


class StudentTaskConfig(TaskConfig):
    """Offers of every student the version that was published last, the bundled one before the first.

    `--conf student_dermoscopy_weights PATH`, and likewise for the others, puts another one in the place of the bundled
    one. Nothing is downloaded. Source: ours.
    """

    def init(self, name: str, model_dir: str, conf: dict[str, str], planner: Any, **kwargs: Any) -> None:
        """Find the weights. Raises InitialWeightsError."""
        tie_to_server()
        super().init(name, model_dir, conf, planner, **kwargs)
        found = {weights.task: weights.found(conf) for weights in STUDENTS}
        self._starts: dict[str, Path] = {task: start for task, start in found.items() if start is not None}

    def infer(self) -> dict[str, InferTask]:
        """Return the tasks of the students that have weights."""
        return {
            name: Student(
                PublishedModel(_store(name), start, StudentPredictor.load, StudentError).now, name, usual_images()
            )
            for name, start in self._starts.items()
        }

    def trainer(self) -> dict[str, TrainTask]:
        """Return their training tasks."""
        return {name: StudentTrainer(_store(name), start, name=name) for name, start in self._starts.items()}


def _store(name: str) -> ModelStore:
    return ModelStore(published_folder(name))
