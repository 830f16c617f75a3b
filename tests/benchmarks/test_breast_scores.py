"""The figures of the breast ultrasound benchmark, on readings whose figures can be worked out by hand."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from breast_scores import COLUMNS, Readings, drawn_places, table


@pytest.fixture
def read() -> Readings:
    """A normal breast, two benign lesions, one malignant, and one of which nobody knows what it is."""
    return Readings(
        dice=np.array([0.0, 0.8, 0.6, 1.0, 0.4]),
        iou=np.array([0.0, 0.7, 0.5, 1.0, 0.3]),
        drawn=np.array([True, True, True, True, True]),
        lesion=np.array([False, True, True, True, True]),
        logits=np.log([[0.6, 0.3, 0.1], [0.1, 0.8, 0.1], [0.1, 0.4, 0.5], [0.1, 0.2, 0.7], [0.8, 0.1, 0.1]]),
        truth=np.array([0, 1, 1, 2, -1]),
        group=np.array([0, 1, 1, 2, 3]),
    )


def test_masks_are_counted_over_lesions_and_diagnoses_over_known_ones(read: Readings):
    figures = {name: figure(read, 1.0) for name, figure in COLUMNS.items()}
    assert figures["lesion Dice"] == pytest.approx(0.7) and figures["lesion IoU"] == pytest.approx(0.625)
    assert figures["empty stay empty"] == 0
    assert figures["accuracy"] == pytest.approx(3 / 4)
    assert figures["macro AUC"] == pytest.approx(1.0)
    assert figures["malignant: sensitivity"] == 1 and figures["malignant: specificity"] == pytest.approx(2 / 3)
    # The normal breast is sure of itself but has a lesion drawn into it; the second benign one is not sure.
    assert figures["sure"] == pytest.approx(2 / 4) and figures["accuracy where sure"] == 1


def test_pictures_of_one_lesion_are_drawn_together(read: Readings):
    for places in drawn_places(read.group, 50):
        assert (places == 1).sum() == (places == 2).sum()


def test_a_higher_temperature_changes_confidences_and_nothing_else(read: Readings):
    for name in ("accuracy", "macro AUC", "lesion Dice"):
        assert COLUMNS[name](read, 3.0) == pytest.approx(COLUMNS[name](read, 1.0))
    assert COLUMNS["ECE"](read, 3.0) != pytest.approx(COLUMNS["ECE"](read, 1.0))


def test_readings_survive_a_file_and_make_a_table(read: Readings):
    again = Readings.from_json(read.to_json())
    lines = table({"one": (again, 1.0)}).splitlines()
    assert len(lines) == 2 + len(COLUMNS) and "| accuracy | 0.750 (" in "\n".join(lines)
