"""The round itself."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from samantic.datasets.studies import LabelledImage
from samantic.segsam import TrainingManifest
from samantic.segsam.training.retraining import EpochReport, held_out_ids
from samantic.segsam.training.retraining.watching import Watch, nobody_cancels, nobody_listens
from samantic.student.checkpoint import load_student
from samantic.student.teacher import Teacher
from samantic.student.training.retraining.learning import StudentLearner
from samantic.student.training.retraining.material import PictureReader, material_of
from samantic.student.training.retraining.options import StudentRetrainOptions
from samantic.student.training.retraining.outcome import RetrainedStudent


def retrain(
    start: Path,
    images: Sequence[LabelledImage],
    unlabelled: Sequence[Path] = (),
    options: StudentRetrainOptions | None = None,
    *,
    teacher: Teacher | None = None,
    on_epoch: Callable[[EpochReport], None] = nobody_listens,
    is_cancelled: Callable[[], bool] = nobody_cancels,
    on_progress: Callable[[int, int, str], None] = nobody_listens,
) -> RetrainedStudent:
    """Learn from labelled images and files without a label, starting from the student `start`; keep the best epoch.

    Labels are learned of images that name every class of the student; synthetic ones are left out. Validation is on
    images that these weights have never learned from; those held out are not learned from without their label either.
    A round takes a few minutes and is not resumed; on one machine the same seed gives the same weights. `on_progress`
    is told how much is done, of how much, and what: "images", "training". `is_cancelled` is asked before every image
    and step; Cancelled then, and nothing was written. TrainingError: there is nothing to learn from; StudentError:
    `start` is none.
    """
    options, watch = options or StudentRetrainOptions(), Watch(on_epoch, on_progress, is_cancelled)
    student = load_student(start)
    config = student.network.config
    real = [image for image in images if not image.is_synthetic]
    total = min(len(real), options.most_images) + min(len(unlabelled), options.most_unlabelled)
    done = iter(range(total))
    reader = PictureReader(config, options.slices, lambda: watch.go_on(next(done), total, "images"))
    if len(real) < len(images):
        reader.left_out.append(f"{len(images) - len(real)} synthetic images are left out.")
    views = reader.labelled(real, options.most_images)
    known = student.manifest
    if teacher is not None and teacher.manifest is not None:
        known = known.with_earlier(teacher.manifest)
    held_out = held_out_ids(views, options.validation_share, known.image_ids, options.validation_ids)
    material = material_of(views, held_out, reader.unlabelled(unlabelled, options.most_unlabelled), reader.left_out)
    with tempfile.TemporaryDirectory() as folder:
        learner = StudentLearner(student.network, material, teacher, options, watch, Path(folder))
        before = learner.before()
        best, reports = learner.learn(before)
    return RetrainedStudent(
        network=best,
        before=before.to_dict(),
        after=next(report for report in reversed(reports) if report.is_best).after.to_dict(),
        held_out=tuple(sorted(material.validation.keys() - material.learned.keys())),
        learned_from=tuple(sorted(material.learned)),
        left_out=material.left_out,
        epochs=tuple(reports),
        seconds=watch.seconds,
        manifest=TrainingManifest.of({options.data_set: material.learned}).with_earlier(known),
        notes=student.notes,
        unlabelled=material.unlabelled_images,
    )
