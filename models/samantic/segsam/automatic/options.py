"""What somebody asks of the automatic mode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

Source = Literal["auto", "head", "grid"]

LARGEST_VALUE = 255
"""Labels are 8 bits."""

FIRST_CLASSES = ("hippocampus_anterior", "hippocampus_posterior")
"""Whoever has only these in a picture expects the values of the public set, 1 and 2."""


class AutomaticError(ValueError):
    """What is asked for cannot be had from this model or on this image; the message is one plain sentence."""


@dataclass(frozen=True)
class GridOptions:
    """The dense grid of clicks: `points` a side, and what an answer needs to be kept; each in 0 to 1 (ours).

    `lowest_presence` of a class, as the CO-tokens see it, for the class to be looked for at all; `lowest_quality`: the
    overlap with the truth that the network expects; `lowest_stability`: the overlap of the mask cut at logits of plus
    and minus 1 (as in SAM's automatic mode); `lowest_share` of the named class among all that the model knows;
    `same_object`: the overlap of two masks from which on only the surer one is kept.
    """

    points: int = 12
    lowest_presence: float = 0.3
    lowest_quality: float = 0.5
    lowest_stability: float = 0.7
    lowest_share: float = 0.4
    same_object: float = 0.5

    def __post_init__(self) -> None:
        if not 1 <= self.points <= 64:
            raise AutomaticError(f"A grid has 1 to 64 points a side, not {self.points}.")


@dataclass(frozen=True)
class AutomaticOptions:
    """`classes` to look for, in the order of their values 1...n; empty: all that the model knows.

    `source` of the proposals: the prompt-free "head", a "grid" of clicks, or "auto", the head where the network has
    one. `refine`: whether the network is prompted with what the head found; None: where that has proved better. `axes`
    of a volume to cut it along, the first one for borders and grids; None: the usual ones (`volumes.usual_axes`).
    `slice_index`: only this slice along the first axis, and nothing of its neighbours.
    """

    classes: tuple[str, ...] = ()
    source: Source = "auto"
    refine: bool | None = None
    axes: tuple[int, ...] | None = None
    slice_index: int | None = None
    grid: GridOptions = field(default_factory=GridOptions)
    with_confidence: bool = False
    with_uncertainty: bool = False

    def __post_init__(self) -> None:
        if self.source not in get_args(Source):
            raise AutomaticError(f"Proposals come from {', '.join(get_args(Source))}, not from '{self.source}'.")
        if len(set(self.classes)) != len(self.classes):
            raise AutomaticError("Each class can have one value: name it once.")
        if len(self.classes) > LARGEST_VALUE:
            raise AutomaticError(f"{len(self.classes)} classes are asked for; {LARGEST_VALUE} fit into one label map.")
        if self.axes is not None and (
            not self.axes or len(set(self.axes)) != len(self.axes) or not set(self.axes) <= {0, 1, 2}
        ):
            raise AutomaticError(f"The axes are {self.axes}, but they must be different ones of 0, 1 and 2.")

    def uses_head(self, has_head: bool) -> bool:
        """Whether the head proposes; AutomaticError if it is asked for where there is none."""
        if self.source == "head" and not has_head:
            raise AutomaticError("This model has no prompt-free head; ask for proposals from a grid.")
        return has_head and self.source != "grid"

    def value_order(self, known: Sequence[str]) -> tuple[str, ...]:
        """The class of value 1, 2, ...; AutomaticError for a class that is not `known` and for more than fit."""
        unknown = [name for name in self.classes if name not in known]
        if unknown:
            raise AutomaticError(
                f"The model does not know the class '{unknown[0]}'; it knows {len(known)} classes: {', '.join(known)}."
            )
        order = self.classes or all_classes(known)
        if len(order) > LARGEST_VALUE:
            raise AutomaticError(f"The model knows {len(order)} classes; name up to {LARGEST_VALUE} to look for.")
        return order


def all_classes(known: Sequence[str]) -> tuple[str, ...]:
    """All classes of a model in the order of their values, which stays the same when it learns more at the end."""
    first = tuple(name for name in FIRST_CLASSES if name in known)
    return (*first, *(name for name in known if name not in first))
