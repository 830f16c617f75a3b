"""How long and how to train."""

from __future__ import annotations

import math
from dataclasses import dataclass

from samantic.training.settings import SettingsError

PRECISIONS = ("no", "bf16", "fp16")


@dataclass(frozen=True)
class FitOptions:
    """Options of a run that hold for every model; SettingsError for a value out of range.

    `batch_size` pictures a step and process; `learning_rate` the highest, after `warmup_share` of the steps;
    `average_decay` of the moving average of the weights; `gradient_norm` the largest that is not scaled down.
    `checkpoint_minutes` between two states on disk (0: after every step) and `sheet_every` steps between two sheets
    of predictions (0: only at the end) may change when a run is resumed, the others may not.
    """

    steps: int = 1500
    batch_size: int = 16
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    warmup_share: float = 0.05
    average_decay: float = 0.998
    gradient_norm: float = 1.0
    seed: int = 17
    mixed_precision: str = "no"
    checkpoint_minutes: float = 4.0
    sheet_every: int = 0

    def __post_init__(self) -> None:
        if self.mixed_precision not in PRECISIONS:
            raise SettingsError(
                f"mixed_precision must be one of {', '.join(PRECISIONS)}, not {self.mixed_precision!r}. "
                "In YAML, write no in quotation marks."
            )
        for name, low, high, low_is_allowed in (
            ("steps", 1, math.inf, True),
            ("batch_size", 1, math.inf, True),
            ("learning_rate", 0, math.inf, False),
            ("weight_decay", 0, math.inf, True),
            ("warmup_share", 0, 1, True),
            ("average_decay", 0, 1, True),
            ("gradient_norm", 0, math.inf, False),
            ("seed", 0, math.inf, True),
            ("checkpoint_minutes", 0, math.inf, True),
            ("sheet_every", 0, math.inf, True),
        ):
            value = getattr(self, name)
            inside = (low <= value if low_is_allowed else low < value) and value <= high
            if not inside or (math.isinf(value) and name != "checkpoint_minutes"):
                least = f"at least {low}" if low_is_allowed else f"more than {low}"
                most = "" if math.isinf(high) else f" and at most {high}"
                raise SettingsError(f"{name} must be {least}{most}, not {value}.")


FREE_WHEN_RESUMING = ("checkpoint_minutes", "sheet_every")
"""Options that do not change what is learned."""
