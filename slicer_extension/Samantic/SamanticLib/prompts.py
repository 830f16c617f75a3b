"""What a person has shown the model on one image so far, and how the server wants to be told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from SamanticLib.errors import SamanticError
from SamanticLib.geometry import Extent, Voxel, extent_shape, extent_slices, joined_extent

MASK, BACKGROUND_SCRIBBLE, FOREGROUND_SCRIBBLE = 1, 2, 3
"""Values in the label file that goes with a request; docs/protocol.md."""

SELECTED = "samantic_mask"
"""What the mask to start from is called in that file; no class has this name."""

_KINDS = ("boxes_ijk", "positive_ijk", "negative_ijk", "scribble", "mask")


@dataclass(frozen=True, eq=False)
class LabelCrop:
    """Label values (i, j, k) uint8 of a part of the image, and which part: a half-open extent of the same size."""

    values: np.ndarray
    extent_ijk: Extent

    def __post_init__(self) -> None:
        """Take a read-only copy; SamanticError if the values do not fill the extent."""
        if self.values.shape != extent_shape(self.extent_ijk):
            raise SamanticError(
                f"The drawing has {self.values.shape} voxels, but its extent {tuple(self.extent_ijk)} says "
                f"{extent_shape(self.extent_ijk)}."
            )
        values = np.array(self.values, dtype=np.uint8)
        values.flags.writeable = False
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "extent_ijk", tuple(int(end) for end in self.extent_ijk))

    def joined(self, other: LabelCrop) -> LabelCrop:
        """Return both drawings in one; where both are drawn, the other one counts."""
        extent = joined_extent(self.extent_ijk, other.extent_ijk)
        values = np.zeros(extent_shape(extent), np.uint8)
        values[extent_slices(self.extent_ijk, extent)] = self.values
        there = values[extent_slices(other.extent_ijk, extent)]
        there[other.values != 0] = other.values[other.values != 0]
        return LabelCrop(values, extent)


@dataclass(frozen=True)
class Prompts:
    """Points, boxes, scribbles and a mask in voxels of one image, and the classes that may be meant.

    positive_ijk, negative_ijk: voxels (i, j, k). boxes_ijk: half-open extents. scribble: 2 background, 3 foreground.
    mask: what is not 0 is the object to start from. slice, axis: the slice that is asked about; None leaves it to the
    server. order: in which order the prompts were made, by kind, for `without_last`.
    """

    positive_ijk: tuple[Voxel, ...] = ()
    negative_ijk: tuple[Voxel, ...] = ()
    boxes_ijk: tuple[Extent, ...] = ()
    scribble: LabelCrop | None = None
    mask: LabelCrop | None = None
    text: str = ""
    classes: tuple[str, ...] = ()
    slice: int | None = None
    axis: int | None = None
    order: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Take lists and arrays as well as tuples; SamanticError for what is no voxel, no box and no axis."""
        for kind in ("positive_ijk", "negative_ijk"):
            object.__setattr__(self, kind, tuple(_whole(point, 3, "A point") for point in getattr(self, kind)))
        object.__setattr__(self, "boxes_ijk", tuple(_box(box) for box in self.boxes_ijk))
        object.__setattr__(self, "classes", tuple(self.classes))
        if self.axis not in (None, 0, 1, 2):
            raise SamanticError(f"The axis across the slices is {self.axis}; it must be 0, 1 or 2.")
        if self.slice is not None and self.slice < 0:
            raise SamanticError(f"There is no slice {self.slice}; slices count from 0.")
        object.__setattr__(self, "order", self._checked_order())

    @property
    def empty(self) -> bool:
        """Whether nothing says where to look; words and classes alone do not."""
        return not self.order

    def with_point(self, ijk: Iterable[int], positive: bool = True) -> Prompts:
        """Return these prompts and one more point; the same voxel as a point of the other kind is taken back."""
        point = _whole(ijk, 3, "A point")
        mine, others = ("positive_ijk", "negative_ijk") if positive else ("negative_ijk", "positive_ijk")
        here = self
        if point in getattr(here, others):
            here = here._without(others, getattr(here, others).index(point))
        if point in getattr(here, mine):
            return here
        return here._with(mine, (*getattr(here, mine), point))

    def with_box(self, extent_ijk: Iterable[int]) -> Prompts:
        """Return these prompts and one more box; bounds may come in either order."""
        return self._with("boxes_ijk", (*self.boxes_ijk, _box(extent_ijk)))

    def with_scribble(self, scribble: LabelCrop) -> Prompts:
        """Return these prompts and one more scribble, 2 background and 3 foreground; where two cross, the newer counts.

        `without_last` takes back all scribbles at once.
        """
        strange = sorted(set(np.unique(scribble.values).tolist()) - {0, BACKGROUND_SCRIBBLE, FOREGROUND_SCRIBBLE})
        if strange:
            raise SamanticError(f"A scribble is 2 for background and 3 for foreground, not {strange[0]}.")
        if self.scribble is None:
            return self._with("scribble", scribble)
        return replace(self, scribble=self.scribble.joined(scribble))

    def with_mask(self, mask: LabelCrop | None) -> Prompts:
        """Return these prompts with another mask to start from, or without one."""
        if self.mask is None:
            return self if mask is None else self._with("mask", mask)
        return self._without("mask", 0) if mask is None else replace(self, mask=mask)

    def without_last(self) -> Prompts:
        """Return these prompts without the one that was made last; the same where there is none."""
        if not self.order:
            return self
        kind = self.order[-1]
        return self._without(kind, self._count(kind) - 1)

    def to_params(self) -> dict[str, Any]:
        """Return the `params` of docs/protocol.md; what goes with them as a file is `label_crop`.

        Raises SamanticError where nothing says where to look.
        """
        if self.empty:
            raise SamanticError("Nothing says where to look; click on the object, draw a box or a scribble.")
        params: dict[str, Any] = {}
        if self.positive_ijk:
            params["foreground"] = [list(point) for point in self.positive_ijk]
        if self.negative_ijk:
            params["background"] = [list(point) for point in self.negative_ijk]
        if self.boxes_ijk:
            params["boxes"] = [list(box) for box in self.boxes_ijk]
        if self.scribble is not None:
            params["label_info"] = [
                {"name": "background_scribbles", "id": BACKGROUND_SCRIBBLE},
                {"name": "foreground_scribbles", "id": FOREGROUND_SCRIBBLE},
                {"name": SELECTED, "id": MASK},
            ]
            if self.mask is not None:
                params["selected_label_name"] = SELECTED
        if self.text.strip():
            params["text"] = self.text.strip()
        if self.classes:
            params["classes"] = list(self.classes)
        if self.slice is not None:
            params["slice"] = self.slice
        if self.axis is not None:
            params["axis"] = self.axis
        return params

    def label_crop(self) -> LabelCrop | None:
        """Return scribbles and mask as one drawing for the label file, None where there are neither.

        1 is the mask, 2 background and 3 foreground; a scribble counts more than the mask under it.
        """
        if self.mask is None:
            return self.scribble
        mask = LabelCrop(np.where(self.mask.values != 0, MASK, 0), self.mask.extent_ijk)
        return mask if self.scribble is None else mask.joined(self.scribble)

    def _with(self, kind: str, value: Any) -> Prompts:
        changes: dict[str, Any] = {kind: value, "order": (*self.order, kind)}
        return replace(self, **changes)

    def _without(self, kind: str, number: int) -> Prompts:
        value = getattr(self, kind)
        rest = None if kind in ("scribble", "mask") else value[:number] + value[number + 1 :]
        made = [place for place, other in enumerate(self.order) if other == kind][number]
        changes: dict[str, Any] = {kind: rest, "order": self.order[:made] + self.order[made + 1 :]}
        return replace(self, **changes)

    def _count(self, kind: str) -> int:
        value = getattr(self, kind)
        return int(value is not None) if kind in ("scribble", "mask") else len(value)

    def _checked_order(self) -> tuple[str, ...]:
        order = tuple(self.order) or tuple(kind for kind in _KINDS for _ in range(self._count(kind)))
        if any(order.count(kind) != self._count(kind) for kind in _KINDS) or not set(order) <= set(_KINDS):
            raise SamanticError("The order of the prompts does not fit the prompts; leave it out.")
        return order


def _box(bounds: Iterable[int]) -> Extent:
    whole = _whole(bounds, 6, "A box")
    ends = [end for axis in range(3) for end in sorted(whole[2 * axis : 2 * axis + 2])]
    if 0 in np.subtract(ends[1::2], ends[::2]):
        raise SamanticError(f"The box {ends} holds no voxel; draw it wider.")
    return tuple(ends)


def _whole(numbers: Iterable[int], count: int, what: str) -> Any:
    values: Sequence[Any] = tuple(numbers)
    if len(values) != count or any(int(value) != value for value in values):
        raise SamanticError(f"{what} is {count} whole numbers of voxels, not {list(values)}.")
    return tuple(int(value) for value in values)
