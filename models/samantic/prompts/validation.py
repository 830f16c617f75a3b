"""Checking prompts against the image and the vocabulary, once, before anything is computed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from samantic.prompts.coordinates import as_whole
from samantic.prompts.errors import AXIS_NAMES, PromptError, shown
from samantic.prompts.kinds import MAX_SCRIBBLE_VOXELS, Box, ClassPrompt, Point, Scribble
from samantic.prompts.slicing import check_axis, resolve_slice

if TYPE_CHECKING:
    from samantic.prompts.prompt_set import PromptSet
    from samantic.vocabulary import Vocabulary

MAX_POINTS = 1_000
MAX_BOXES = 64
MAX_SCRIBBLES = 1_000

Shape = tuple[int, int, int]


def validate(
    prompts: PromptSet, shape_ijk: Shape, vocabulary: Vocabulary | None, axis: int, slice_index: int | None
) -> PromptSet:
    """See `PromptSet.validated`."""
    axis = check_axis(axis)
    if prompts.is_empty:
        raise PromptError("The prompts are empty; give a point, a box, a scribble or a mask.")
    _check_counts(prompts)
    for number, point in enumerate(prompts.points, start=1):
        _check_voxel(point.voxel, shape_ijk, f"Point {number}")
    for number, box in enumerate(prompts.boxes, start=1):
        _check_box(box, shape_ijk, number)
    for number, scribble in enumerate(prompts.scribbles, start=1):
        _check_scribble(scribble, shape_ijk, number)
    _check_mask_shape(prompts, shape_ijk)
    if slice_index is not None:
        _check_slice(as_whole(slice_index, "The slice"), axis, shape_ijk[axis])
    index = resolve_slice(prompts, axis, slice_index)
    _check_mask_on_slice(prompts, axis, index)
    _check_signs(prompts)
    return replace(
        prompts,
        points=tuple(_rounded(point) for point in prompts.points),
        boxes=tuple(_cut_to_slice(box, axis, index) for box in prompts.boxes),
        classes=validate_classes(prompts.classes, vocabulary),
    )


def validate_classes(classes: ClassPrompt, vocabulary: Vocabulary | None) -> ClassPrompt:
    """The classes under their vocabulary names; an unknown or repeated one is a PromptError.

    Labels, synonyms and SNOMED CT codes are understood. Without a vocabulary only repetitions are looked for.
    """
    names = classes.names if vocabulary is None else tuple(_known(name, vocabulary) for name in classes.names)
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise PromptError(f"The class {shown(name)} is given twice; name every class once.")
        seen.add(name)
    return replace(classes, names=names)


def _known(name: str, vocabulary: Vocabulary) -> str:
    if name in vocabulary:
        return name
    try:
        return vocabulary.find(name).name
    except ValueError as error:
        raise PromptError(str(error)) from None


def _check_counts(prompts: PromptSet) -> None:
    painted = sum(len(scribble.ijk) for scribble in prompts.scribbles)
    for count, allowed, what in (
        (len(prompts.points), MAX_POINTS, "points"),
        (len(prompts.boxes), MAX_BOXES, "boxes"),
        (len(prompts.scribbles), MAX_SCRIBBLES, "scribbles"),
        (painted, MAX_SCRIBBLE_VOXELS, "scribble voxels"),
    ):
        if count > allowed:
            raise PromptError(f"{count} {what} were given, but at most {allowed} are allowed in one request.")


def _check_slice(index: int, axis: int, count: int) -> None:
    if not 0 <= index < count:
        raise PromptError(f"Slice {index} along {AXIS_NAMES[axis]} is outside the image; allowed is 0 to {count - 1}.")


def _check_voxel(voxel: Iterable[int], shape_ijk: Shape, what: str) -> None:
    for name, value, size in zip(AXIS_NAMES, voxel, shape_ijk, strict=True):
        if not 0 <= value < size:
            raise PromptError(f"{what} has {name} = {value}, outside the image; allowed is 0 to {size - 1}.")


def _check_box(box: Box, shape_ijk: Shape, number: int) -> None:
    for name, lower, upper, size in zip(AXIS_NAMES, box.lower_ijk, box.upper_ijk, shape_ijk, strict=True):
        for bound in (lower, upper):
            if not 0 <= bound <= size:
                raise PromptError(
                    f"Box {number} has the bound {name} = {bound}, outside the image; allowed is 0 to {size}."
                )
        if lower == upper:
            raise PromptError(
                f"Box {number} is empty: both bounds along {name} are {lower}, "
                "and the upper bound is one past the last voxel."
            )


def _check_scribble(scribble: Scribble, shape_ijk: Shape, number: int) -> None:
    voxels = scribble.voxels
    if not len(voxels):
        raise PromptError(f"Scribble {number} is empty; it needs at least one voxel.")
    outside = ((voxels < 0) | (voxels >= np.asarray(shape_ijk))).any(axis=1)
    if outside.any():
        _check_voxel(voxels[outside.argmax()].tolist(), shape_ijk, f"A voxel of scribble {number}")


def _check_mask_shape(prompts: PromptSet, shape_ijk: Shape) -> None:
    if prompts.mask is None:
        return
    if prompts.mask.array.shape != tuple(shape_ijk):
        raise PromptError(
            f"The mask has the shape {prompts.mask.array.shape}, but the image has {tuple(shape_ijk)}; "
            "draw the mask on this image."
        )
    if not prompts.mask.array.any():
        raise PromptError("The mask is empty; it needs at least one voxel inside.")


def _check_mask_on_slice(prompts: PromptSet, axis: int, index: int) -> None:
    if prompts.mask is not None and not prompts.mask.array.take(index, axis=axis).any():
        raise PromptError(
            f"The mask holds nothing on slice {index} along {AXIS_NAMES[axis]}; "
            "draw on this slice or leave the mask out."
        )


def _check_signs(prompts: PromptSet) -> None:
    """One voxel cannot be both, and something must be wanted."""
    wanted = _marked(prompts, positive=True)
    unwanted = _marked(prompts, positive=False)
    both = wanted & unwanted
    if both:
        raise PromptError(f"Voxel {min(both)} is marked as foreground and as background; remove one of the two.")
    if not (wanted or prompts.boxes or prompts.mask is not None):
        raise PromptError(
            "All prompts are background; mark the object itself with a point, a box, a scribble or a mask."
        )


def _marked(prompts: PromptSet, positive: bool) -> set[tuple[int, int, int]]:
    voxels = {point.voxel for point in prompts.points if point.positive is positive}
    for scribble in prompts.scribbles:
        if scribble.positive is positive:
            voxels.update(scribble.ijk)
    return voxels


def _rounded(point: Point) -> Point:
    i, j, k = point.voxel
    return Point((float(i), float(j), float(k)), point.positive)


def _cut_to_slice(box: Box, axis: int, index: int) -> Box:
    lower, upper = list(box.lower_ijk), list(box.upper_ijk)
    lower[axis], upper[axis] = index, index + 1
    return Box((lower[0], lower[1], lower[2]), (upper[0], upper[1], upper[2]))
