"""How well two masks agree."""

from __future__ import annotations

import numpy as np


def dice(predicted: np.ndarray, truth: np.ndarray) -> float:
    """Return 2 |P n T| / (|P| + |T|) of two masks of one shape; 1 if both are empty (Dice 1945)."""
    total = int(predicted.sum()) + int(truth.sum())
    return 1.0 if total == 0 else 2.0 * int((predicted & truth).sum()) / total


def intersection_over_union(predicted: np.ndarray, truth: np.ndarray) -> float:
    """Return |P n T| / |P u T| of two masks of one shape; 1 if both are empty (Jaccard 1912)."""
    union = int((predicted | truth).sum())
    return 1.0 if union == 0 else int((predicted & truth).sum()) / union
