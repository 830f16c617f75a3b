"""How a training round learns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from samantic.training import Ranges, RoundOptions


@dataclass(frozen=True)
class LesionRetrainOptions(RoundOptions):
    """Options of one round; SettingsError for a value out of range.

    Besides the common ones, which hold for real photographs: `synthetic_share` of the steps learn from synthetic pairs,
    where there are some, of which as many are held in memory. `members` and `steps` are those that are validated with.
    """

    synthetic_share: float = 0.5
    members: int = 3
    steps: int = 4

    ranges: ClassVar[Ranges] = (
        *RoundOptions.ranges,
        ("synthetic_share", 0, 0.9),
        ("members", 1, 20),
        ("steps", 1, 50),
    )
