"""What is learned of pictures without asking for their labels: the teacher's part, ready to be drawn from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from samantic.imaging import atomic_path
from samantic.student.losses import UNKNOWN
from samantic.student.network import MambaStudent
from samantic.student.squares import stretched
from samantic.student.teacher import Teacher
from samantic.student.training.augmentation import Movement, moved, moved_labels
from samantic.student.training.perturbations import drawn_perturbations, perturbed
from samantic.student.training.pictures import Pictures
from samantic.student.training.pseudo_labeller import agreed_labels, student_shares
from samantic.student.training.settings import Lessons
from samantic.student.training.teacher_shelf import teacher_features

FEATURE_SIDE = 8
"""Of the teacher's features as they are kept: 32 kilobytes a picture of 256 channels."""

PERTURBATION_SEED = 0
"""The same for all runs, so that runs over the same pictures can share what the teacher said."""


@dataclass(frozen=True, eq=False)
class UnlabelledBatch:
    """`clean` and `perturbed` pictures (U, 3, S, S), moved alike; the teacher's features of both (U, D, g, g), None
    without a teacher; `pseudo_labels` (U, S, S) int64, UNKNOWN where nothing is claimed."""

    clean: torch.Tensor
    perturbed: torch.Tensor
    teacher_clean: torch.Tensor | None
    teacher_perturbed: torch.Tensor | None
    pseudo_labels: torch.Tensor


class LessonPlan:
    """Pictures, their perturbations, the teacher's features of both, and the pseudo-labels of the last asking.

    All that is worked out lies in `folder`, so that a run that was cut off goes on with the same; the features lie in
    `shelf` where that is given, which runs over the same pictures may share. ValueError where lessons need a teacher
    and there is none. `check` may raise before every picture that the teacher sees.
    """

    def __init__(
        self,
        pictures: Pictures,
        lessons: Lessons,
        teacher: Teacher | None,
        folder: Path,
        *,
        classes: int,
        seed: int,
        shelf: Path | None = None,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        if teacher is None and lessons.asks_teacher:
            raise ValueError("These lessons need a teacher: name one, or set perturbation and taught to 0.")
        self._pictures, self._lessons, self._folder, self._seed = pictures, lessons, folder, seed
        self._classes, self._check = classes, check
        # A teacher that is not asked takes no time, and is no part of the run.
        self._teacher = teacher if lessons.asks_teacher else None
        self._perturbations = drawn_perturbations(len(pictures.squares), lessons.perturbations, PERTURBATION_SEED)
        self._features: torch.Tensor | None = None
        if lessons.perturbation and self._teacher is not None:
            self._features = teacher_features(
                self._teacher, pictures, self._perturbations, FEATURE_SIDE, shelf or folder, check
            )
        self._asked = 0
        self._pseudo_labels = self._true_labels()

    @property
    def teacher_hash(self) -> str:
        return "" if self._teacher is None else self._teacher.weights_hash

    @property
    def teacher_channels(self) -> int:
        """Of the teacher's features, 0 where they are not used."""
        return 0 if self._features is None else int(self._features.shape[2])

    def prepare(self, step: int, steps: int, student: MambaStudent) -> None:
        """Before the batch of a step: ask the teacher for masks if it is time."""
        if not (self._lessons.pseudo_labels and self._lessons.taught) or self._teacher is None:
            return
        due = [number for number, share in enumerate(self._lessons.asked_at, 1) if step >= round(share * steps)]
        if not due or due[-1] == self._asked:
            return
        number = self._asked = due[-1]
        path = self._folder / f"pseudo-labels-{number}.safetensors"
        # At its very step it is asked anew, also where a run was cut off soon after: the answer is the same.
        kept = None if step == round(self._lessons.asked_at[number - 1] * steps) else _read(path)
        self._pseudo_labels = self._agreed(student, number) if kept is None else kept
        self._folder.mkdir(parents=True, exist_ok=True)
        with atomic_path(path) as temporary:
            save_file({"labels": self._pseudo_labels}, temporary)

    def draw(self, movement: Movement, random: np.random.Generator) -> UnlabelledBatch:
        """The pictures of a step."""
        chosen = torch.from_numpy(random.integers(len(self._pictures.squares), size=self._lessons.unlabelled))
        which = torch.from_numpy(random.integers(self._lessons.perturbations, size=len(chosen)))
        affine = movement.drawn(len(chosen), random)
        clean = moved(self._pictures.squares[chosen].float() / 255, affine)
        labels = self._moved_pseudo_labels(chosen, affine)
        teacher_clean = teacher_perturbed = None
        if self._features is not None:
            # A mirror or a turn of the picture turns the places of what the teacher said about it.
            teacher_clean = moved(self._features[chosen, 0], affine)
            teacher_perturbed = moved(self._features[chosen, 1 + which], affine)
        changed = perturbed(clean, self._perturbations[chosen, which])
        return UnlabelledBatch(clean, changed, teacher_clean, teacher_perturbed, labels)

    def _moved_pseudo_labels(self, chosen: torch.Tensor, affine: torch.Tensor) -> torch.Tensor:
        labels = self._pseudo_labels[chosen].long()
        unknown = self._classes
        labels[labels == UNKNOWN] = unknown
        labels = moved_labels(labels, unknown + 1, affine)
        labels[labels == unknown] = UNKNOWN
        return labels

    def _true_labels(self) -> torch.Tensor:
        """Where there is a label, nothing need be guessed."""
        squares, labels = self._pictures.squares, self._pictures.labels
        known = torch.full((len(squares), *squares.shape[2:]), UNKNOWN, dtype=torch.uint8)
        known[: len(labels)] = labels
        return known

    def _agreed(self, student: MambaStudent, number: int) -> torch.Tensor:
        assert self._teacher is not None
        labels, first = self._true_labels(), len(self._pictures.labels)
        without = len(self._pictures.squares) - first
        random = np.random.default_rng((self._seed, number))
        for place in first + random.permutation(without)[: self._lessons.taught]:
            self._check()
            square = (
                stretched(self._pictures.originals[place], self._teacher.side).permute(1, 2, 0).contiguous().numpy()
            )
            labels[place] = agreed_labels(student_shares(student, self._pictures.squares[place]), self._teacher, square)
        return labels


def _read(path: Path) -> torch.Tensor | None:
    try:
        return load_file(path)["labels"]
    except (OSError, SafetensorError, KeyError):
        return None
