"""The parameters of a request with `propagate` -> the slices to start from, and which ways to go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from samantic.app.lib.infers import wire
from samantic.app.lib.infers.class_choice import ClassChoice
from samantic.app.lib.infers.label_upload import LabelPrompts
from samantic.app.lib.infers.request import (
    InferRequest,
    PromptedObject,
    axis_and_slice,
    boxes_of,
    label_and_upload,
    owner_of,
    points_per_label,
)
from samantic.app.lib.infers.wire import RequestError, shown
from samantic.imaging import SliceView, Volume
from samantic.prompts import Box, MaskPrompt, Point, PromptSet, Scribble
from samantic.segsam import ViewPrompts
from samantic.segsam.propagation import Directions, PromptedSlice

NO_WAY = "none"
WAYS: tuple[Directions, ...] = ("up", "down", "both")


@dataclass(frozen=True, eq=False)
class PropagationRequest:
    """One checked request: `prompted` slices, the one that names the object first; `asked` says what is on that one."""

    asked: InferRequest
    prompted: tuple[PromptedSlice, ...]
    directions: Directions


def wanted_ways(params: Mapping[str, Any]) -> Directions | None:
    """Read `propagate`: None where one slice is to be answered, as without the key. True means both ways."""
    value = params.get("propagate")
    if isinstance(value, bool):
        return "both" if value else None
    named = (wire.text(value, "propagate") or NO_WAY).lower()
    if named == NO_WAY:
        return None
    for way in WAYS:
        if named == way:
            return way
    raise RequestError(f"'propagate' is {shown(value)}, but it must be one of {', '.join((NO_WAY, *WAYS))}.")


def read_propagation_request(
    params: Mapping[str, Any], volume: Volume, choice: ClassChoice, directions: Directions
) -> PropagationRequest:
    """Read and check the prompts of one object on any number of slices.

    Raises RequestError, PromptError, UnknownClassError or ImageReadError, each with one plain sentence.
    """
    if volume.kind == "photograph":
        raise RequestError("A photograph has no further slices: leave 'propagate' out.")
    if wire.flag(params.get("multimask"), "multimask"):
        raise RequestError("Alternatives are for one slice: leave 'multimask' or 'propagate' out.")
    axis, asked_slice = axis_and_slice(params, volume)
    label, upload = label_and_upload(params, volume, axis, None)
    points, object_label = _points(params, choice)
    by_slice = _by_slice(points, boxes_of(params, False), upload, axis, asked_slice)
    classes = choice.asked(wire.names(params.get("classes"), "classes"), wire.text(params.get("text"), "text"))
    drawn = None if upload is None or upload.mask is None else upload.mask
    kept = _kept_slices(params, drawn, axis)
    # Prompts say what the object is; among several slices the one that was asked for, else the one prompted first.
    main = asked_slice if asked_slice in by_slice or asked_slice in kept else next(iter([*by_slice, *kept]), None)
    if main is None:
        raise RequestError(
            "Nothing is prompted: send 'foreground' points, a 'roi', 'boxes' or a label file to propagate from."
        )
    _check_foreground(by_slice, kept, axis)
    prompts = {
        index: replace(one, mask=_on(drawn, axis, index) if index in kept else None).validated(
            volume.shape_ijk, axis=axis, slice_index=index
        )
        for index, one in by_slice.items()
    }
    prompted = [
        _prompted(index, prompts.get(index), drawn, SliceView.of(volume, axis, index))
        for index in sorted({*prompts, *kept}, key=lambda index: (index != main, index))
    ]
    asked = InferRequest(
        objects=(PromptedObject(object_label, prompts.get(main, PromptSet())),),
        axis=axis,
        slice_index=main,
        classes=classes,
        label=label,
        multimask=False,
        window=wire.text(params.get("window"), "window"),
        owner=owner_of(params),
        resets=False,
        ignored_points=0,
    )
    return PropagationRequest(asked, tuple(prompted), directions)


def _points(params: Mapping[str, Any], choice: ClassChoice) -> tuple[list[Point], str | None]:
    background = params.get("background")
    per_label = points_per_label(params, False, choice)
    if len(per_label) > 1:
        raise RequestError(
            f"Points of {len(per_label)} labels were sent; one object is propagated at a time: send a request for each."
        )
    label, positives = next(iter(per_label.items()), (None, ()))
    if label is None:
        positives = wire.points(params.get("foreground"), "foreground", False)
    if isinstance(background, Mapping):
        background = background.get(label)
    negatives = wire.points(background, "background", False)
    return [Point(p, True) for p in positives] + [Point(p, False) for p in negatives], label


def _by_slice(
    points: list[Point], boxes: list[Box], upload: LabelPrompts | None, axis: int, asked_slice: int | None
) -> dict[int, PromptSet]:
    found: dict[int, PromptSet] = {}
    for point in points:
        here = found.get(point.voxel[axis], PromptSet())
        found[point.voxel[axis]] = replace(here, points=(*here.points, point))
    for box in boxes:
        index = _slice_of_box(box, axis, asked_slice)
        here = found.get(index, PromptSet())
        if here.boxes:
            raise RequestError(
                f"Slice {index} along axis {axis} has two boxes; one object is propagated at a time: send a request "
                "for each."
            )
        found[index] = replace(here, boxes=(box,))
    for scribble in upload.scribbles if upload else ():
        voxels = scribble.voxels
        for index in np.unique(voxels[:, axis]).tolist():
            here = found.get(index, PromptSet())
            part = Scribble(tuple(map(tuple, voxels[voxels[:, axis] == index].tolist())), scribble.positive)
            found[index] = replace(here, scribbles=(*here.scribbles, part))
    return found


def _slice_of_box(box: Box, axis: int, asked_slice: int | None) -> int:
    lower, upper = box.lower_ijk[axis], box.upper_ijk[axis]
    if asked_slice is not None and lower <= asked_slice < upper:
        return asked_slice
    return (lower + upper - 1) // 2


def _kept_slices(params: Mapping[str, Any], drawn: MaskPrompt | None, axis: int) -> list[int]:
    """The slices of the label file that stay as they are: all that are drawn on, or those that `kept_slices` names."""
    shown_on: list[int] = []
    if drawn is not None:
        others = tuple(other for other in range(3) if other != axis)
        shown_on = np.flatnonzero(drawn.array.any(axis=others)).tolist()
    named = wire.parsed(params.get("kept_slices"), "kept_slices")
    if named in (None, []):
        return shown_on
    allowed = "a list of slices on which the label file holds something"
    if not isinstance(named, list | tuple):
        raise RequestError(f"'kept_slices' is {shown(named)}, but it must be {allowed}.")
    kept = sorted({wire.whole_number(one, "kept_slices", allowed) for one in named})
    empty = [index for index in kept if index not in shown_on]
    if empty:
        raise RequestError(f"'kept_slices' names slice {empty[0]}, where the label file holds nothing.")
    return kept


def _check_foreground(prompts: Mapping[int, PromptSet], kept: list[int], axis: int) -> None:
    for index, one in prompts.items():
        marked = any(point.positive for point in one.points) or any(scribble.positive for scribble in one.scribbles)
        if index not in kept and not one.boxes and not marked:
            raise RequestError(
                f"Slice {index} along axis {axis} has background marks alone: add a click or a box on the object there."
            )


def _on(drawn: MaskPrompt | None, axis: int, index: int) -> MaskPrompt | None:
    if drawn is None:
        return None
    here = np.zeros(drawn.array.shape, bool, order="F")
    where = tuple(index if other == axis else slice(None) for other in range(3))
    here[where] = drawn.array[where]
    return MaskPrompt(here)


def _prompted(index: int, prompts: PromptSet | None, drawn: MaskPrompt | None, view: SliceView) -> PromptedSlice:
    if prompts is not None:
        # Marks on a drawn slice correct what is drawn there, as they do without propagation.
        return PromptedSlice(index, ViewPrompts.from_prompt_set(prompts, view))
    assert drawn is not None
    return PromptedSlice(index, mask=view.extract(drawn.array))
