"""How a propagation runs and when it ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

Directions = Literal["both", "up", "down"]
StopReason = Literal[
    "end of the image",
    "nothing found",
    "confidence",
    "area grew",
    "area shrank",
    "class changed",
    "appearance changed",
    "end seen from the side",
]

DIRECTIONS: tuple[str, ...] = get_args(Directions)
STOP_REASONS: tuple[str, ...] = get_args(StopReason)


@dataclass(frozen=True)
class StopLimits:
    """When the next slice no longer shows the object; all chosen on validation volumes (ours).

    `confidence`: the smallest expected overlap (IoU) of the mask with the truth. `growth` and `shrinkage`: the area
    over that of the slice before, and `slack_pixels` that an area may always differ by. `class_share`: the probability
    of the prompted slice's class over that on the prompted slice, below which another class may take over, if the name
    was at least as probable as `sure_name` there. `map_share`: how much of the mask the class's own map must call that,
    where there is one. `grey_shift`: how far the mean intensity inside may move from the prompted slice's, in standard
    deviations there.
    """

    confidence: float = 0.78
    growth: float = 2.0
    shrinkage: float = 0.25
    slack_pixels: int = 12
    class_share: float = 0.25
    sure_name: float = 0.7
    grey_shift: float = 2.0
    map_share: float = 0.4


@dataclass(frozen=True)
class PropagationOptions:
    """Along which voxel `axis` (0 i, 1 j, 2 k), beyond which of the prompted slices ("up": rising index), until when.

    `classes` are the candidates for the object's name, empty for all that the model knows. ValueError for what does
    not exist.
    """

    axis: int = 2
    directions: Directions = "both"
    classes: tuple[str, ...] = ()
    limits: StopLimits = field(default_factory=StopLimits)

    def __post_init__(self) -> None:
        if self.axis not in (0, 1, 2):
            raise ValueError(f"axis is {self.axis}, but it must be 0, 1 or 2 (the voxel axis across the slices).")
        if self.directions not in DIRECTIONS:
            raise ValueError(f"directions is '{self.directions}', but it must be one of {', '.join(DIRECTIONS)}.")

    def goes(self, step: int) -> bool:
        """Whether to go beyond the prompted slices by this step, 1 up or -1 down."""
        return self.directions == "both" or self.directions == ("up" if step > 0 else "down")
