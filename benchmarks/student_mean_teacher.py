"""The mean teacher (arXiv 1703.01780): a peer that learns from unlabelled pictures by agreeing with its own average."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from accelerate.utils import set_seed
from torch import nn

from samantic.segsam import TrainingManifest
from samantic.student import MambaStudent, save_student
from samantic.student.losses import ramp, supervised_loss
from samantic.student.training.augmentation import moved, moved_labels, recoloured
from samantic.student.training.lesson_plan import LessonPlan
from samantic.student.training.pictures import Pictures
from samantic.student.training.settings import Lessons, StudentSettings
from samantic.student.training.task import StudentBatch
from samantic.training import fit

DECAY = 0.99
WEIGHT = 10.0
"""Of the mean squared difference of the probabilities, which is small."""


class Pair(nn.Module):
    """The pupil, which learns, and its average, which does not; both are part of the run's state."""

    def __init__(self, pupil: MambaStudent) -> None:
        super().__init__()
        self.pupil, self.mean = pupil, copy.deepcopy(pupil).requires_grad_(False)

    @torch.no_grad()
    def follow(self, step: int) -> None:
        decay = min(DECAY, (1 + step) / (10 + step))
        torch._foreach_lerp_(list(self.mean.parameters()), list(self.pupil.parameters()), 1 - decay)


class MeanTeacherTask:
    """Labels, and agreement with the average about pictures without a label (a `TrainingTask`)."""

    weights_name = "student.safetensors"

    def __init__(self, settings: StudentSettings, pictures: Pictures, run: Path) -> None:
        self.network, self._settings, self._pictures = Pair(MambaStudent(settings.network)), settings, pictures
        self._classes = 1 + len(settings.network.class_names)
        # Only for its pictures and their perturbations: nobody is asked.
        lessons = Lessons(perturbation=0.0, distribution=0.0, taught=0, unlabelled=settings.lessons.unlabelled)
        self._plan = LessonPlan(pictures, lessons, None, run, classes=self._classes, seed=settings.fit.seed)

    def identity(self) -> Mapping[str, Any]:
        return {"network": self._settings.network.to_json(), "data": self._pictures.digest, "weight": WEIGHT}

    def draw(self, step: int, random: np.random.Generator) -> StudentBatch:
        self.network.follow(step)
        chosen = torch.from_numpy(random.integers(len(self._pictures.labels), size=self._settings.fit.batch_size))
        affine = self._settings.movement.drawn(len(chosen), random)
        seen = recoloured(moved(self._pictures.squares[chosen].float() / 255, affine), random)
        labels = moved_labels(self._pictures.labels[chosen], self._classes, affine)
        return StudentBatch(seen, labels, self._plan.draw(self._settings.movement, random))

    def loss(
        self,
        batch: StudentBatch,
        step: int,
        random: np.random.Generator,  # noqa: ARG002
    ) -> tuple[torch.Tensor, dict[str, float]]:
        unlabelled = batch.unlabelled
        assert unlabelled is not None
        logits = self.network.pupil(torch.cat([batch.pictures, unlabelled.perturbed])).logits
        mine, guessed = logits.split([len(batch.pictures), len(unlabelled.perturbed)])
        with torch.no_grad():
            target = torch.softmax(self.network.mean(unlabelled.clean).logits.float(), dim=1)
        apart = (torch.softmax(guessed.float(), dim=1) - target).square().mean()
        share = ramp(step / (self._settings.lessons.ramp_share * self._settings.fit.steps))
        parts = {"supervised": supervised_loss(mine, batch.labels), "consistency": share * WEIGHT * apart}
        return torch.stack(list(parts.values())).sum(), {name: float(part.detach()) for name, part in parts.items()}

    def save_weights(self, network: nn.Module, path: Path) -> None:
        save_student(cast(Pair, network).pupil, path, manifest=TrainingManifest())


def fit_mean_teacher(settings: StudentSettings, pictures: Pictures, run: Path) -> MambaStudent:
    """Train and return the pupil's average."""
    set_seed(settings.fit.seed)
    return cast(Pair, fit(MeanTeacherTask(settings, pictures, run), settings.fit, run)).pupil
