"""What a student is made of."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass

LARGEST_SIDE = 1024


@dataclass(frozen=True)
class StudentConfig:
    """The classes it tells apart and the size of its parts; ValueError for parts that do not fit.

    Pictures of `side` x `side` pixels are folded `fold` x `fold` into a grid of `widths[0]` channels; each further one
    is a grid of half the side. `mixers` Mamba mixers stand on each grid, of `expansion` times its width, in heads of
    `head_width` channels with `state` numbers each. `domain` is the kind of its pictures, as in the
    vocabulary, and `axes` the voxel axes along which it has seen volumes cut; for photographs the last alone. A
    component of a picture is left out of the answer in which not even a quarter of the pixels reach `least_share`.
    """

    class_names: tuple[str, ...] = ("skin_lesion",)
    domain: str = "dermoscopy"
    axes: tuple[int, ...] = (2,)
    side: int = 128
    fold: int = 4
    widths: tuple[int, ...] = (24, 56, 112, 136)
    mixers: tuple[int, ...] = (0, 0, 0, 2)
    expansion: int = 2
    head_width: int = 68
    state: int = 16
    least_share: float = 0.0

    def __post_init__(self) -> None:
        if not self.class_names or len(set(self.class_names)) != len(self.class_names):
            raise ValueError(f"class_names must be at least one name, each once, not {', '.join(self.class_names)}.")
        if not self.axes or len(set(self.axes)) != len(self.axes) or not set(self.axes) <= {0, 1, 2}:
            raise ValueError(f"axes must be some of 0, 1 and 2, each once, not {self.axes}.")
        if not self.widths or any(width < 1 for width in self.widths):
            raise ValueError(f"widths must be at least one number, all positive, not {self.widths}.")
        if len(self.mixers) != len(self.widths) or any(count < 0 for count in self.mixers):
            raise ValueError(f"mixers must be {len(self.widths)} numbers from 0 on, one a width, not {self.mixers}.")
        for name in ("fold", "expansion", "head_width", "state"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}.")
        if not 0 <= self.least_share < 1:
            raise ValueError(f"least_share must be at least 0 and less than 1, not {self.least_share}.")
        for width, count in zip(self.widths, self.mixers, strict=True):
            if count and self.expansion * width % self.head_width:
                raise ValueError(f"head_width {self.head_width} must divide {self.expansion} times the width {width}.")
        # Normalisation of a single cell would leave nothing.
        if self.side % self.divisor or not 2 * self.divisor <= self.side <= LARGEST_SIDE:
            raise ValueError(
                f"side must be a multiple of {self.divisor} from {2 * self.divisor} to {LARGEST_SIDE}, not {self.side}."
            )

    @property
    def divisor(self) -> int:
        """Of which a picture's side must be a multiple."""
        return self.fold * 2 ** (len(self.widths) - 1)

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> StudentConfig:
        """Read what `to_json` wrote; ValueError or TypeError for anything else."""
        values = json.loads(text)
        lists = ("class_names", "axes", "widths", "mixers")
        return cls(**{**values, **{name: tuple(values[name]) for name in lists if name in values}})
