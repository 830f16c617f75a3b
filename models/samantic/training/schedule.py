"""How the learning rate rises and falls."""

from __future__ import annotations

import math

from samantic.training.options import FitOptions


def learning_rate_at(step: int, options: FitOptions) -> float:
    """Linear warm-up, then half a cosine down to a hundredth (after arXiv 1608.03983, without restarts)."""
    warmup = max(1, round(options.warmup_share * options.steps))
    if step < warmup:
        return options.learning_rate * (step + 1) / warmup
    progress = (step - warmup) / max(1, options.steps - warmup)
    return options.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))
