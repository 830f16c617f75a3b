"""How the students that are to come with the package are trained: on the public sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from samantic.datasets.development_sets import VALIDATION_SETS, WHOLE_TRAINING_SETS, data_folder
from samantic.datasets.labelled_view import LabelledView
from samantic.segsam.training.retraining.slices import evenly
from samantic.student.network import MambaStudent
from samantic.student.teacher import PromptableTeacher
from samantic.student.training.fit import fit_student
from samantic.student.training.settings import StudentSettings
from samantic.training import SettingsError

SHOWN = 12
"""Validation pictures on the sheets of predictions."""

Reader = Callable[[Path], Iterator[LabelledView]]


def train_student(
    run: Path, settings: StudentSettings, teacher: Path | None = None, start: Path | None = None
) -> MambaStudent:
    """Train on the training part of the settings' set; resumes an interrupted run in the folder `run`.

    `teacher` is a SEG-SAM checkpoint, by default MedSAM where it is there and the bundled one elsewhere. Raises
    SettingsError for a set that there is not.
    """
    folder, name = data_folder(), settings.data_set
    if name not in WHOLE_TRAINING_SETS or name not in VALIDATION_SETS:
        known = ", ".join(set_name for set_name in WHOLE_TRAINING_SETS if set_name in VALIDATION_SETS)
        raise SettingsError(f"data_set is '{name}', but it must be one of {known}.")
    views = [view for view in WHOLE_TRAINING_SETS[name](folder) if _has_plane(view, settings)]
    views = views[:: settings.every]
    shown = [view for view in VALIDATION_SETS[name](folder) if view.labels.any()]
    taught_by = None
    if settings.lessons.asks_teacher:
        taught_by = PromptableTeacher.usual() if teacher is None else PromptableTeacher.load(teacher)
    chosen = [shown[index] for index in evenly(range(len(shown)), SHOWN)]
    return fit_student(settings, views, (), run, teacher=taught_by, start=start, shown=chosen)


def _has_plane(view: LabelledView, settings: StudentSettings) -> bool:
    """Whether a slice lies across an axis that the student is to look along; photographs do not say."""
    _, _, key = view.image_id.rpartition("/axis")
    return "/axis" not in view.image_id or int(key.split("-")[0]) in settings.network.axes
