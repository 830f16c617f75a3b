"""Which slice a set of prompts is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from samantic.prompts.coordinates import as_whole
from samantic.prompts.errors import AXIS_NAMES, PromptError, shown

if TYPE_CHECKING:
    from samantic.prompts.prompt_set import PromptSet


def resolve_slice(prompts: PromptSet, axis: int, explicit: int | None = None) -> int:
    """The explicit slice; else that of points and scribbles; else the middle one of the boxes; else the mask's.

    Every point, scribble and box must lie on the slice found. Raises PromptError where they disagree or where
    nothing says which slice.
    """
    axis = check_axis(axis)
    clicked = _clicked_slices(prompts, axis)
    if explicit is not None:
        index = as_whole(explicit, "The slice")
    elif len(clicked) > 1:
        raise PromptError(
            f"The prompts lie on different slices along {AXIS_NAMES[axis]} ({_listed(clicked)}); "
            "put all prompts of one request on one slice."
        )
    elif clicked:
        index = clicked[0]
    elif prompts.boxes:
        index = _middle_of_boxes(prompts, axis)
    elif prompts.mask is not None:
        index = _largest_slice(prompts.mask.array, axis)
    else:
        raise PromptError("The prompts are empty; give a point, a box, a scribble or a mask.")
    _check_all_on_slice(prompts, axis, index, clicked)
    return index


def check_axis(axis: Any) -> int:
    """The slicing axis as 0, 1 or 2."""
    if isinstance(axis, bool) or axis not in (0, 1, 2):
        raise PromptError(f"The axis is {shown(axis)}, but it must be 0 (i), 1 (j) or 2 (k).")
    return int(axis)


def _clicked_slices(prompts: PromptSet, axis: int) -> list[int]:
    slices = {point.voxel[axis] for point in prompts.points}
    for scribble in prompts.scribbles:
        slices.update(np.unique(scribble.voxels[:, axis]).tolist())
    return sorted(slices)


def _middle_of_boxes(prompts: PromptSet, axis: int) -> int:
    lower = max(box.lower_ijk[axis] for box in prompts.boxes)
    upper = min(box.upper_ijk[axis] for box in prompts.boxes)
    if lower >= upper:
        if len(prompts.boxes) == 1:
            raise PromptError(_empty_box(1, axis, lower))
        raise PromptError(
            f"The boxes share no slice along {AXIS_NAMES[axis]}; put all boxes of one request on one slice."
        )
    return (lower + upper - 1) // 2


def _empty_box(number: int, axis: int, bound: int) -> str:
    name = AXIS_NAMES[axis]
    return (
        f"Box {number} is empty along {name}: both bounds are {bound}, but the upper bound is one past the last voxel "
        f"and must be at least {bound + 1}."
    )


def _largest_slice(array: np.ndarray, axis: int) -> int:
    others = tuple(other for other in range(3) if other != axis)
    areas = np.count_nonzero(array, axis=others)
    if not areas.any():
        raise PromptError("The mask is empty; it needs at least one voxel inside.")
    return int(areas.argmax())


def _check_all_on_slice(prompts: PromptSet, axis: int, index: int, clicked: list[int]) -> None:
    name = AXIS_NAMES[axis]
    elsewhere = [other for other in clicked if other != index]
    if elsewhere:
        raise PromptError(
            f"A point or scribble lies on slice {elsewhere[0]} along {name}, but the slice asked for is {index}; "
            "put all prompts of one request on one slice."
        )
    for number, box in enumerate(prompts.boxes, start=1):
        lower, upper = box.lower_ijk[axis], box.upper_ijk[axis]
        if lower == upper:
            raise PromptError(_empty_box(number, axis, lower))
        if not lower <= index < upper:
            raise PromptError(
                f"Box {number} covers the slices {lower} to {upper - 1} along {name}, "
                f"but the slice asked for is {index}."
            )


def _listed(slices: list[int]) -> str:
    shown_slices = ", ".join(str(index) for index in slices[:5])
    return shown_slices + (", …" if len(slices) > 5 else "")
