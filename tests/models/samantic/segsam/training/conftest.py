"""Labelled views that are easy to learn."""

from __future__ import annotations

import numpy as np
import pytest

from samantic.datasets.labelled_view import LabelledView


@pytest.fixture
def square_view() -> LabelledView:
    """A bright liver, square, in a dark CT of 60 rows and 80 columns."""
    labels = np.zeros((60, 80), dtype=np.int16)
    labels[15:45, 20:55] = 1
    return LabelledView("square", "ct", _bright(labels, 60), labels, ("liver", "kidney_left"))


@pytest.fixture
def disc_view() -> LabelledView:
    """A bright lesion, round, in a dermoscopic image of 64 rows and 64 columns."""
    rows, columns = np.mgrid[:64, :64]
    labels = ((rows - 30) ** 2 + (columns - 36) ** 2 < 18**2).astype(np.int16)
    return LabelledView("disc", "dermoscopy", _bright(labels, 30), labels, ("skin_lesion",))


def _bright(labels: np.ndarray, background: int) -> np.ndarray:
    image = np.where(labels[..., None] > 0, 210, background) + np.zeros(3, dtype=np.int64)
    return image.astype(np.uint8)
