"""The kinds of prompts: points, boxes, scribbles, a previous mask and candidate classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from samantic.prompts.coordinates import as_coordinates, as_flag, nearest
from samantic.prompts.errors import PromptError, shown

MAX_SCRIBBLE_VOXELS = 100_000
MAX_CLASS_NAMES = 1_000
MAX_TEXT_LENGTH = 2_000

VoxelIndex = tuple[int, int, int]


@dataclass(frozen=True)
class Point:
    """A click at voxel index `ijk` (fractions allowed) that says "this" (positive) or "not this"."""

    ijk: tuple[float, float, float]
    positive: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "ijk", as_coordinates(self.ijk, "A point"))
        object.__setattr__(self, "positive", as_flag(self.positive, "The sign of a point"))

    @property
    def voxel(self) -> VoxelIndex:
        """The nearest voxel; halves go up."""
        i, j, k = (nearest(value) for value in self.ijk)
        return i, j, k


@dataclass(frozen=True)
class Box:
    """A box of voxels, half-open: `lower_ijk` is inside, `upper_ijk` is one past the end.

    Bounds are rounded to whole voxels and swapped where they are reversed. A box for one slice has extent 1 along
    the slicing axis.
    """

    lower_ijk: VoxelIndex
    upper_ijk: VoxelIndex

    def __post_init__(self) -> None:
        first = [nearest(value) for value in as_coordinates(self.lower_ijk, "The lower corner of a box")]
        second = [nearest(value) for value in as_coordinates(self.upper_ijk, "The upper corner of a box")]
        pairs = list(zip(first, second, strict=True))
        object.__setattr__(self, "lower_ijk", tuple(min(pair) for pair in pairs))
        object.__setattr__(self, "upper_ijk", tuple(max(pair) for pair in pairs))

    @classmethod
    def from_roi(cls, roi: Sequence[float]) -> Box:
        """The box of a region of interest in wire order [x0, x1, y0, y1, z0, z1]; raises PromptError."""
        if not isinstance(roi, (Sequence, np.ndarray)) or isinstance(roi, (str, bytes)) or len(roi) != 6:
            raise PromptError(f"A roi needs six numbers [x0, x1, y0, y1, z0, z1], but {shown(roi)} was given.")
        return cls((roi[0], roi[2], roi[4]), (roi[1], roi[3], roi[5]))  # type: ignore[arg-type]

    @property
    def roi(self) -> tuple[int, int, int, int, int, int]:
        """The bounds in wire order (x0, x1, y0, y1, z0, z1)."""
        (x0, y0, z0), (x1, y1, z1) = self.lower_ijk, self.upper_ijk
        return x0, x1, y0, y1, z0, z1

    @property
    def extent(self) -> VoxelIndex:
        """Number of voxels along i, j and k."""
        i, j, k = (upper - lower for lower, upper in zip(self.lower_ijk, self.upper_ijk, strict=True))
        return i, j, k


@dataclass(frozen=True)
class Scribble:
    """Voxels painted over as "this" (positive) or "not this"."""

    ijk: tuple[VoxelIndex, ...]
    positive: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "ijk", _as_voxels(self.ijk))
        object.__setattr__(self, "positive", as_flag(self.positive, "The sign of a scribble"))

    @classmethod
    def from_mask(cls, array: np.ndarray, positive: bool = True) -> Scribble:
        """The painted voxels of a mask (I, J, K), non-zero where painted."""
        return cls(np.argwhere(_as_mask(array, "The scribble")), positive)  # type: ignore[arg-type]

    @property
    def voxels(self) -> np.ndarray:
        """Voxel indices (N, 3), int64."""
        return np.asarray(self.ijk, dtype=np.int64).reshape(-1, 3)


@dataclass(frozen=True, eq=False)
class MaskPrompt:
    """A previous, existing or hand-drawn mask (I, J, K), true inside; kept as a read-only view."""

    array: np.ndarray = field(repr=False)

    def __post_init__(self) -> None:
        array = _as_mask(self.array, "The mask").view()
        array.flags.writeable = False
        object.__setattr__(self, "array", array)


@dataclass(frozen=True)
class ClassPrompt:
    """The classes that the answer may name, as vocabulary names or as free text; empty means every known class."""

    names: tuple[str, ...] = ()
    text: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", _as_names(self.names))
        if self.text is not None:
            _check_text(self.text)


def _as_voxels(values: object) -> tuple[VoxelIndex, ...]:
    if not isinstance(values, (Sequence, np.ndarray)) or isinstance(values, (str, bytes)):
        raise PromptError(f"A scribble needs a list of voxel indices [i, j, k], but {shown(values)} was given.")
    if len(values) > MAX_SCRIBBLE_VOXELS:
        raise PromptError(
            f"A scribble has {len(values)} voxels, but at most {MAX_SCRIBBLE_VOXELS} are allowed; "
            "send a painted region as a mask."
        )
    voxels = []
    for value in values:
        i, j, k = (nearest(number) for number in as_coordinates(value, "A scribble voxel"))
        voxels.append((i, j, k))
    return tuple(voxels)


def _as_mask(array: object, what: str) -> np.ndarray:
    if not isinstance(array, np.ndarray) or array.ndim != 3:
        given = f"an array of shape {array.shape}" if isinstance(array, np.ndarray) else shown(array)
        raise PromptError(f"{what} needs an array with three axes (I, J, K), but {given} was given.")
    if array.dtype == bool:
        return array
    if array.dtype.kind not in "iuf":
        raise PromptError(f"{what} needs numbers or true/false values, but its values are of type {array.dtype}.")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise PromptError(f"{what} holds values that are not finite; use 0 outside and 1 inside.")
    return array != 0


def _as_names(names: object) -> tuple[str, ...]:
    if not isinstance(names, Sequence) or isinstance(names, (str, bytes)):
        raise PromptError(f"The classes need a list of names, but {shown(names)} was given.")
    if len(names) > MAX_CLASS_NAMES:
        raise PromptError(f"{len(names)} classes were given, but at most {MAX_CLASS_NAMES} are allowed.")
    for name in names:
        if not isinstance(name, str) or not name.strip():
            raise PromptError(f"A class needs a name, but {shown(name)} was given.")
    return tuple(names)


def _check_text(text: object) -> None:
    if not isinstance(text, str) or not text.strip():
        raise PromptError(f"The text needs words that describe a class, but {shown(text)} was given.")
    if len(text) > MAX_TEXT_LENGTH:
        raise PromptError(f"The text has {len(text)} characters, but at most {MAX_TEXT_LENGTH} are allowed.")
