"""Training of a student."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
from accelerate.utils import set_seed

from samantic.datasets.labelled_view import LabelledView
from samantic.segsam import TrainingManifest
from samantic.segsam.training.drawn_sets import image_of
from samantic.student.checkpoint import StudentError, load_student
from samantic.student.network import MambaStudent
from samantic.student.teacher import Teacher
from samantic.student.training.lesson_plan import LessonPlan
from samantic.student.training.pictures import Pictures
from samantic.student.training.settings import StudentSettings
from samantic.student.training.task import StudentTask, TaughtStudent
from samantic.training import fit


def fit_student(
    settings: StudentSettings,
    labelled: Sequence[LabelledView],
    unlabelled: Sequence[np.ndarray],
    run: Path,
    *,
    teacher: Teacher | None = None,
    start: Path | None = None,
    shelf: Path | None = None,
    shown: Sequence[LabelledView] = (),
) -> MambaStudent:
    """Train a student on labelled views and on pictures (rows, cols, 3) uint8 without a label; return the average.

    The weights are `student.safetensors` in the folder `run`, where a run that was cut off goes on. `start` are weights
    of the same configuration. `teacher` must be there where the lessons ask one; its labels count as the student's.
    `shelf` is the folder of the teacher's features, by default `run`; runs over the same pictures may share one. See
    `samantic.training.fit`; StudentError where `start` does not fit.
    """
    set_seed(settings.fit.seed)
    network = MambaStudent(settings.network)
    manifest = TrainingManifest.of({settings.data_set: [image_of(view) for view in labelled]})
    if start is not None:
        earlier = load_student(start)
        if earlier.network.config != settings.network:
            raise StudentError(f"{start.name} has another configuration than the network to train.")
        network.load_state_dict(earlier.network.state_dict())
        manifest = manifest.with_earlier(earlier.manifest)
    lessons = settings.lessons
    pictures, plan = Pictures.of(settings.network, labelled, unlabelled), None
    if lessons.any:
        classes = 1 + len(settings.network.class_names)
        plan = LessonPlan(pictures, lessons, teacher, run, classes=classes, seed=settings.fit.seed, shelf=shelf)
        if lessons.asks_teacher and teacher is not None and teacher.manifest is not None:
            # What the teacher learned, its pupil has learned from as well.
            manifest = manifest.with_earlier(teacher.manifest)
    task = StudentTask(network, pictures, settings.fit, settings.movement, lessons, manifest, plan, shown)
    return cast(TaughtStudent, fit(task, settings.fit, run)).student
