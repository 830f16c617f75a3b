"""A student learns until validation says that it is enough."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path
from typing import cast

import numpy as np
import torch
from accelerate.utils import set_seed

from samantic.evaluation import dice
from samantic.segsam import TrainingManifest
from samantic.segsam.training.retraining import EpochReport, Scores
from samantic.segsam.training.retraining.course import Course
from samantic.segsam.training.retraining.watching import Watch
from samantic.student.network import MambaStudent
from samantic.student.predictor import StudentPredictor
from samantic.student.teacher import Teacher
from samantic.student.training.augmentation import Movement
from samantic.student.training.lesson_plan import LessonPlan
from samantic.student.training.pictures import Pictures
from samantic.student.training.retraining.material import Material
from samantic.student.training.retraining.options import StudentRetrainOptions
from samantic.student.training.settings import Lessons, movement_of
from samantic.student.training.task import StudentTask, TaughtStudent
from samantic.training.epochs import epochs
from samantic.training.to_device import to_device


class StudentLearner:
    """Trains a student on a round's pictures by the losses of its own training.

    Without a teacher, the round learns from labels and from how classes look.
    """

    def __init__(
        self,
        network: MambaStudent,
        material: Material,
        teacher: Teacher | None,
        options: StudentRetrainOptions,
        watch: Watch,
        folder: Path,
    ) -> None:
        self._options, self._watch, self._material = options, watch, material
        self._device = torch.device(options.device or ("cuda" if torch.cuda.is_available() else "cpu"))
        config, lessons = network.config, options.lessons()
        if teacher is None:
            lessons = _without_teacher(lessons)
        views = [view for some in material.learned.values() for view in some]
        pictures, plan = Pictures.of(config, views, material.unlabelled), None
        if lessons.any:
            classes = 1 + len(config.class_names)
            plan = LessonPlan(pictures, lessons, teacher, folder, classes=classes, seed=options.seed, check=watch.check)
        movement: Movement = movement_of(config)
        schedule = options.fit_options()
        # What brings the teacher's features to the student begins at random.
        set_seed(options.seed)
        self._task = StudentTask(network, pictures, schedule, movement, lessons, TrainingManifest(), plan)
        self._network: TaughtStudent = self._task.network.to(self._device)

    def before(self) -> Scores:
        """How well the start segments what is held out."""
        return self._scores(self._network.student)

    def learn(self, before: Scores) -> tuple[MambaStudent, list[EpochReport]]:
        """Train, and return the average weights of the best epoch as they are published, in half precision."""
        course = Course(self._options, before, self._watch)
        learning = epochs(self._network, self._options, self._loss, self._watch.before_step)
        start = self._network.student
        best = course.best(learning, start, lambda network: cast(TaughtStudent, network).student, self._scores)
        return best, course.reports

    def _loss(self, step: int, random: np.random.Generator) -> torch.Tensor:
        batch = to_device(self._task.draw(step, random), self._device)
        return self._task.loss(batch, step, random)[0]

    def _scores(self, network: MambaStudent) -> Scores:
        """Dice by class, the mean over the held-out images, of which all pictures count together."""
        predictor = StudentPredictor(copy.deepcopy(network), device=self._device)
        found: dict[str, list[float]] = {name: [] for name in network.config.class_names}
        for views in self._material.validation.values():
            drawn, truth = [], []
            for view in views:
                self._watch.check()
                drawn.append(predictor.segment(view.image, looks=1).labels.ravel())
                truth.append(view.labels.ravel())
            for place, name in enumerate(network.config.class_names, 1):
                found[name].append(dice(np.concatenate(drawn) == place, np.concatenate(truth) == place))
        by_class = {name: float(np.mean(values)) for name, values in found.items()}
        return Scores(float(np.mean(list(by_class.values()))), by_class)


def _without_teacher(lessons: Lessons) -> Lessons:
    return dataclasses.replace(lessons, perturbation=0.0, taught=0)
