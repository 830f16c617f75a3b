"""How what is guessed comes to count."""

from __future__ import annotations

import math


def ramp(progress: float) -> float:
    """exp(-5 (1 - t)^2) for a `progress` t of 0 to 1, and 1 from then on (arXiv 1610.02242)."""
    return math.exp(-5 * (1 - min(1.0, max(0.0, progress))) ** 2)
