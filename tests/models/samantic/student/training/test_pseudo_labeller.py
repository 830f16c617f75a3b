"""What counts as a label where nobody has drawn one."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from samantic.student import MambaStudent, StudentConfig
from samantic.student.losses import UNKNOWN
from samantic.student.squares import turned
from samantic.student.teacher import Teacher
from samantic.student.training.pseudo_labeller import agreed_labels, student_shares

SIDE = 32


@pytest.mark.parametrize(
    ("domain", "orientations"), [("dermoscopy", (0, 1, 2, 3)), ("breast_ultrasound", (0, 7)), ("mr", (0,))]
)
def test_a_student_is_shown_unlabelled_pictures_only_as_such_pictures_are(
    tiny_config: StudentConfig, domain: str, orientations: tuple[int, ...]
) -> None:
    student = MambaStudent(dataclasses.replace(tiny_config, domain=domain)).eval()
    seen: list[torch.Tensor] = []
    student.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    picture = torch.randint(0, 256, (3, SIDE, SIDE), dtype=torch.uint8, generator=torch.Generator().manual_seed(2))
    shares = student_shares(student, picture)
    assert torch.equal(seen[0], torch.stack([turned(picture.float() / 255, one) for one in orientations]))
    assert shares.shape == (2, SIDE, SIDE)
    torch.testing.assert_close(shares.sum(dim=0), torch.ones(SIDE, SIDE))


def _spot(low: int, high: int) -> np.ndarray:
    mask = np.zeros((SIDE, SIDE), bool)
    mask[low:high, low:high] = True
    return mask


def _shares(lesion: np.ndarray) -> torch.Tensor:
    share = torch.from_numpy(np.where(lesion, 0.9, 0.05).astype(np.float32))
    return torch.stack([1 - share, share])


def _picture(dark: np.ndarray) -> np.ndarray:
    large = np.repeat(np.repeat(dark, 2, axis=0), 2, axis=1)
    return np.where(large, 60, 220).astype(np.uint8)[:, :, None].repeat(3, axis=2)


def test_what_student_and_teacher_agree_about_is_a_label_and_what_they_do_not_is_none(teacher: Teacher) -> None:
    dark, guessed = _spot(10, 20), _spot(9, 20)
    labels = agreed_labels(_shares(guessed), teacher, _picture(dark)).numpy()
    assert (labels[dark] == 1).all()
    assert (labels[guessed & ~dark] == UNKNOWN).all()
    assert (labels[~guessed] == 0).all()


def test_nothing_is_a_label_where_they_disagree_or_the_student_sees_nothing(teacher: Teacher) -> None:
    elsewhere = _picture(_spot(22, 30))
    assert (agreed_labels(_shares(_spot(4, 14)), teacher, elsewhere) == UNKNOWN).all()
    assert (agreed_labels(_shares(np.zeros((SIDE, SIDE), bool)), teacher, elsewhere) == UNKNOWN).all()
