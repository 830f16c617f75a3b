"""A student learns from labels and from a teacher, on the training loop that all models share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from samantic.datasets.labelled_view import LabelledView
from samantic.segsam import TrainingManifest
from samantic.student.checkpoint import save_student
from samantic.student.losses import (
    FeatureDistribution,
    FeatureProjector,
    distribution_loss,
    perturbation_consistency_loss,
    pseudo_label_loss,
    ramp,
    supervised_loss,
)
from samantic.student.network import MambaStudent, StudentMaps
from samantic.student.predictor import StudentPredictor
from samantic.student.training.augmentation import Movement, moved, moved_labels, recoloured
from samantic.student.training.lesson_plan import LessonPlan, UnlabelledBatch
from samantic.student.training.pictures import Pictures
from samantic.student.training.settings import Lessons
from samantic.student.training.sheet import write_sheet
from samantic.training import FitOptions


@dataclass(frozen=True, eq=False)
class StudentBatch:
    """`pictures` (B, 3, S, S) in 0 to 1 with `labels` (B, S, S) int64; `unlabelled` where something is learned of them.

    What is unlabelled here may have a label: it is only not asked.
    """

    pictures: torch.Tensor
    labels: torch.Tensor
    unlabelled: UnlabelledBatch | None = None


class TaughtStudent(nn.Module):
    """A student, and what brings its teacher's features to it, which is not part of the weights that are saved."""

    def __init__(self, student: MambaStudent, teacher_channels: int = 0) -> None:
        super().__init__()
        self.student = student
        width = student.config.widths[-1]
        self.projector = FeatureProjector(teacher_channels, width) if teacher_channels else None


class StudentTask:
    """Labels, a teacher's responses, how lesions look, and what both guess (a `TrainingTask`)."""

    weights_name = "student.safetensors"

    def __init__(
        self,
        student: MambaStudent,
        pictures: Pictures,
        options: FitOptions,
        movement: Movement,
        lessons: Lessons,
        manifest: TrainingManifest,
        plan: LessonPlan | None = None,
        shown: Sequence[LabelledView] = (),
    ) -> None:
        """`plan` holds what the teacher says; it must be there where anything is learned beside the labels."""
        if lessons.any and plan is None:
            raise ValueError("Lessons beside the labels need a plan.")
        self._student, self._pictures, self._options, self._movement = student, pictures, options, movement
        self._lessons, self._manifest, self._plan, self._shown = lessons, manifest, plan, shown
        channels = 0 if plan is None or not lessons.perturbation else plan.teacher_channels
        self.network = TaughtStudent(student, channels)
        self._classes = 1 + len(student.config.class_names)
        self._identity = {
            "network": student.config.to_json(),
            "lessons": asdict(lessons),
            "movement": asdict(movement),
            "data": pictures.digest,
            "teacher": "" if plan is None else plan.teacher_hash,
        }

    def identity(self) -> Mapping[str, Any]:
        return self._identity

    def draw(self, step: int, random: np.random.Generator) -> StudentBatch:
        if self._plan is not None:
            self._plan.prepare(step, self._options.steps, self._student)
        pictures = self._pictures
        chosen = torch.from_numpy(random.integers(len(pictures.labels), size=self._options.batch_size))
        affine = self._movement.drawn(len(chosen), random)
        seen = recoloured(moved(pictures.squares[chosen].float() / 255, affine), random)
        labels = moved_labels(pictures.labels[chosen], self._classes, affine)
        unlabelled = self._plan.draw(self._movement, random) if self._plan is not None and self._lessons.any else None
        return StudentBatch(seen, labels, unlabelled)

    def loss(
        self,
        batch: StudentBatch,
        step: int,
        random: np.random.Generator,  # noqa: ARG002
    ) -> tuple[torch.Tensor, dict[str, float]]:
        if batch.unlabelled is None:
            total = supervised_loss(self._student(batch.pictures).logits, batch.labels)
            return total, {"supervised": float(total.detach())}
        unlabelled = batch.unlabelled
        sizes = [len(batch.pictures), len(unlabelled.clean), len(unlabelled.perturbed)]
        maps = self._student(torch.cat([batch.pictures, unlabelled.clean, unlabelled.perturbed]))
        labelled, clean, perturbed = _split(maps, sizes)
        parts = {"supervised": supervised_loss(labelled.logits, batch.labels)}
        share = ramp(step / (self._lessons.ramp_share * self._options.steps))
        if self._lessons.perturbation:
            parts["perturbation"] = self._lessons.perturbation * self._distillation(unlabelled, clean, perturbed)
        if self._lessons.distribution:
            weight = share * self._lessons.distribution
            parts["distribution"] = weight * _likeness(labelled, batch.labels, clean, perturbed)
        if self._lessons.pseudo_labels:
            weight = share * self._lessons.pseudo_labels
            parts["pseudo_labels"] = weight * pseudo_label_loss(
                perturbed.logits, clean.logits, unlabelled.pseudo_labels, self._lessons.sure_from
            )
        return torch.stack(list(parts.values())).sum(), {name: float(part.detach()) for name, part in parts.items()}

    def save_weights(self, network: nn.Module, path: Path) -> None:
        save_student(cast(TaughtStudent, network).student, path, manifest=self._manifest)

    def prediction_sheet(self, network: nn.Module, path: Path) -> None:
        if self._shown:
            write_sheet(StudentPredictor(cast(TaughtStudent, network).student), self._shown, path)

    def _distillation(self, unlabelled: UnlabelledBatch, clean: StudentMaps, perturbed: StudentMaps) -> torch.Tensor:
        projector = self.network.projector
        if projector is None or unlabelled.teacher_clean is None or unlabelled.teacher_perturbed is None:
            raise ValueError("Distillation needs what a teacher says about the pictures.")
        size = (clean.features.shape[2], clean.features.shape[3])
        return perturbation_consistency_loss(
            projector(unlabelled.teacher_clean, size),
            projector(unlabelled.teacher_perturbed, size),
            clean.features,
            perturbed.features,
            self._lessons.cosine,
        )


def _likeness(labelled: StudentMaps, labels: torch.Tensor, clean: StudentMaps, perturbed: StudentMaps) -> torch.Tensor:
    """The labelled pictures of the same step stand for all labelled ones."""
    truth = nn.functional.one_hot(labels, labelled.logits.shape[1]).permute(0, 3, 1, 2)
    views = [
        FeatureDistribution.of(one.pixel_features, torch.softmax(one.logits.float(), 1)) for one in (clean, perturbed)
    ]
    return distribution_loss(views[0], views[1], FeatureDistribution.of(labelled.pixel_features, truth))


def _split(maps: StudentMaps, sizes: list[int]) -> tuple[StudentMaps, StudentMaps, StudentMaps]:
    logits, features, pixels = (part.split(sizes) for part in (maps.logits, maps.features, maps.pixel_features))
    first, second, third = (StudentMaps(*one) for one in zip(logits, features, pixels, strict=True))
    return first, second, third
