"""A tiny student, pictures with a dark spot, and a teacher that sees spots for what they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from samantic.segsam import TrainingManifest
from samantic.student import StudentConfig
from samantic.student.teacher import Box


class BrightnessTeacher:
    """Describes a picture by its colours, and takes what is dark in a box for what it points at."""

    weights_hash = "sees brightness"
    side = 64

    def __init__(self) -> None:
        self.pictures = 0

    @property
    def manifest(self) -> TrainingManifest | None:
        return TrainingManifest.of({"elsewhere": ["teacher's picture"]})

    def features(self, square: np.ndarray) -> torch.Tensor:
        assert square.shape == (self.side, self.side, 3) and square.dtype == np.uint8
        self.pictures += 1
        picture = torch.from_numpy(square).permute(2, 0, 1).float() / 255
        return torch.nn.functional.avg_pool2d(torch.cat([picture, picture**2, 1 - picture]), 4)

    def masks(self, square: np.ndarray, boxes: Sequence[Box]) -> list[np.ndarray]:
        found = []
        for x0, y0, x1, y1 in boxes:
            mask = np.zeros(square.shape[:2], np.float32)
            region = slice(int(y0), int(y1)), slice(int(x0), int(x1))
            mask[region] = square[region].mean(axis=2) < 150
            found.append(mask)
        return found


@pytest.fixture
def teacher() -> BrightnessTeacher:
    return BrightnessTeacher()


@pytest.fixture
def tiny_config() -> StudentConfig:
    return StudentConfig(side=32, fold=2, widths=(8, 16), mixers=(0, 1), head_width=8, state=4)
