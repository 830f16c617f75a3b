"""The parameters of one `/infer/segsam` request -> what to segment, where, and how to answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from samantic.app.lib.infers import wire
from samantic.app.lib.infers.class_choice import ClassChoice
from samantic.app.lib.infers.label_upload import LabelPrompts, read_label_prompts, uploaded_label
from samantic.app.lib.infers.wire import MAX_OBJECTS, Point3, RequestError, shown
from samantic.imaging import Volume
from samantic.prompts import Box, Point, PromptSet

ANONYMOUS_CLIENT = "user-xyz"
"""What every stock client calls itself unless its user says otherwise."""

MAX_PIXELS = 200_000_000
"""Of all objects of a request together: each has mask logits at the resolution of the slice."""

# Their values are lists too, so they must not be taken for a class with points.
NOT_A_LABEL = frozenset({"foreground", "background", "points", "roi", "boxes", "classes", "labels", "label_info"})


@dataclass(frozen=True)
class PromptedObject:
    """One thing to segment: its prompts and, where the client named it, what it calls it."""

    label: str | None
    prompts: PromptSet


@dataclass(frozen=True)
class InferRequest:
    """One checked request: every prompt lies inside the image and on slice `slice_index` along voxel axis `axis`.

    classes: candidate classes in the order that gives mask values, empty for all the model knows. owner: whose
    refinement state this is, None for nobody's. ignored_points: points on other slices than the one asked for.
    """

    objects: tuple[PromptedObject, ...]
    axis: int
    slice_index: int
    classes: tuple[str, ...]
    label: str | None
    multimask: bool
    window: str | None
    owner: str | None
    resets: bool
    ignored_points: int


def read_request(params: Mapping[str, Any], volume: Volume, choice: ClassChoice) -> InferRequest:
    """Read and check the prompts of a request.

    Raises RequestError, PromptError or UnknownClassError, each with one plain sentence.
    """
    photograph = volume.kind == "photograph"
    axis, asked_slice = axis_and_slice(params, volume)
    label, upload = label_and_upload(params, volume, axis, asked_slice)
    drafts = _drafts(params, photograph, choice)
    if upload is not None:
        drafts = _with_upload(drafts, upload)
    ignored = 0
    if asked_slice is not None:
        drafts, ignored = _only_on(asked_slice, axis, drafts)
    classes = choice.asked(wire.names(params.get("classes"), "classes"), wire.text(params.get("text"), "text"))
    if all(draft.prompts.is_empty for draft in drafts):
        raise RequestError(_nothing_prompted(bool(classes)))
    objects = tuple(
        PromptedObject(d.label, d.prompts.validated(volume.shape_ijk, axis=axis, slice_index=asked_slice))
        for d in drafts
    )
    _check_size(len(objects), volume.shape_ijk, axis)
    slice_index = asked_slice if asked_slice is not None else _common_slice(objects, axis)
    return InferRequest(
        objects=objects,
        axis=axis,
        slice_index=slice_index,
        classes=classes,
        label=label,
        multimask=wire.flag(params.get("multimask"), "multimask"),
        window=wire.text(params.get("window"), "window"),
        owner=owner_of(params),
        resets=wire.flag(params.get("reset_state"), "reset_state"),
        ignored_points=ignored,
    )


def owner_of(params: Mapping[str, Any]) -> str | None:
    """Whose clicks these are: the session, else the client id, told apart by address where everybody has one name."""
    session = params.get("session")
    if isinstance(session, Mapping):
        session = session.get("name")
    session = wire.text(session, "session")
    if session:
        return f"session {session}"
    client = wire.text(params.get("client_id"), "client_id")
    if not client:
        return None
    address = str(params.get("client_address") or "") if client == ANONYMOUS_CLIENT else ""
    return f"client {client} {address}".strip()


def axis_and_slice(params: Mapping[str, Any], volume: Volume) -> tuple[int, int | None]:
    """Read `axis` and `slice`, None where no slice is named; raises RequestError."""
    axis = 2
    if params.get("axis") not in (None, ""):
        axis = wire.whole_number(params["axis"], "axis", "0, 1 or 2 (the voxel axis across the slices)")
    if axis not in (0, 1, 2):
        raise RequestError(f"'axis' is {axis}, but it must be 0, 1 or 2 (the voxel axis across the slices).")
    if volume.kind == "photograph" and axis != 2:
        raise RequestError(f"'axis' is {axis}, but a photograph has only one view: leave 'axis' out or give 2.")
    count = volume.shape_ijk[axis]
    asked = params.get("slice")
    if asked is None or asked == "":
        return axis, 0 if volume.kind == "photograph" else None
    allowed = f"a slice along axis {axis}, 0 to {count - 1}"
    index = wire.whole_number(asked, "slice", allowed)
    if index == -1:  # how stock clients say "no slice"
        return axis, 0 if volume.kind == "photograph" else None
    if not 0 <= index < count:
        raise RequestError(f"'slice' is {index}, but it must be {allowed}.")
    return axis, index


def _drafts(params: Mapping[str, Any], photograph: bool, choice: ClassChoice) -> list[PromptedObject]:
    background = params.get("background")
    negatives = wire.points(background, "background", photograph) if not isinstance(background, Mapping) else ()
    per_label = points_per_label(params, photograph, choice)
    boxes = boxes_of(params, photograph)
    if per_label:
        if boxes:
            raise RequestError("Points per label and boxes cannot be mixed: send either in a request of its own.")
        own_negatives = background if isinstance(background, Mapping) else {}
        return [
            PromptedObject(
                name, _prompt_set(points, (*negatives, *wire.points(own_negatives.get(name), name, photograph)), ())
            )
            for name, points in per_label.items()
        ]
    positives = wire.points(params.get("foreground"), "foreground", photograph)
    if len(boxes) < 2:
        return [PromptedObject(None, _prompt_set(positives, negatives, boxes))]
    return _one_object_per_box(boxes, positives, negatives)


def points_per_label(params: Mapping[str, Any], photograph: bool, choice: ClassChoice) -> dict[str, tuple[Point3, ...]]:
    """Read the points of every label that has some; raises RequestError or UnknownClassError."""
    named: dict[str, Any] = {}
    foreground = wire.parsed(params.get("foreground"), "foreground")
    if isinstance(foreground, Mapping):
        named.update(foreground)
    for key, value in params.items():
        if key not in NOT_A_LABEL and value and (key in choice.names or wire.looks_like_points(value)):
            named[key] = value
    found = {}
    for name, value in named.items():
        points = wire.points(value, name, photograph)
        if points:
            choice.known(name)
            found[name] = points
    if len(found) > MAX_OBJECTS:
        raise RequestError(f"{len(found)} labels have points; at most {MAX_OBJECTS} objects fit into one request.")
    return found


def boxes_of(params: Mapping[str, Any], photograph: bool) -> list[Box]:
    """Read `roi` and `boxes`; raises RequestError."""
    bounds = []
    roi = wire.box_bounds(params.get("roi"), "roi", photograph)
    if roi is not None:
        bounds.append(roi)
    several = wire.parsed(params.get("boxes"), "boxes")
    if several is not None:
        if not isinstance(several, list | tuple):
            raise RequestError(f"'boxes' is {shown(several)}, but it must be a list of boxes as in 'roi'.")
        if several and not any(isinstance(entry, list | tuple) for entry in several):
            several = [several]
        for entry in several:
            box = wire.box_bounds(entry, "boxes", photograph)
            if box is None:
                raise RequestError("'boxes' holds an empty list, but each box must be voxel bounds as in 'roi'.")
            bounds.append(box)
    if len(bounds) > MAX_OBJECTS:
        raise RequestError(f"'boxes' holds {len(bounds)} boxes; at most {MAX_OBJECTS} fit into one request.")
    return [Box(lower, upper) for lower, upper in bounds]


def _one_object_per_box(
    boxes: Sequence[Box], positives: Sequence[Point3], negatives: Sequence[Point3]
) -> list[PromptedObject]:
    inside: list[list[Point3]] = [[] for _ in boxes]
    for point in positives:
        holders = [n for n, box in enumerate(boxes) if _holds(box, point)]
        if not holders:
            raise RequestError(
                f"The foreground point {list(point)} lies in none of the {len(boxes)} boxes; with several boxes, "
                "each foreground point must lie in the box of its object."
            )
        for n in holders:
            inside[n].append(point)
    return [PromptedObject(None, _prompt_set(inside[n], negatives, (box,))) for n, box in enumerate(boxes)]


def _holds(box: Box, point: Point3) -> bool:
    bounds = zip(box.lower_ijk, point, box.upper_ijk, strict=True)
    return all(min(low, high) <= value < max(low, high) for low, value, high in bounds)


def _prompt_set(positives: Sequence[Point3], negatives: Sequence[Point3], boxes: Sequence[Box]) -> PromptSet:
    points = [Point(p, True) for p in positives] + [Point(p, False) for p in negatives]
    return PromptSet(points=tuple(points), boxes=tuple(boxes))


def label_and_upload(
    params: Mapping[str, Any], volume: Volume, axis: int, asked_slice: int | None
) -> tuple[str | None, LabelPrompts | None]:
    """Read the client's name for the segment, and the label file if there is one."""
    path = uploaded_label(params)
    selected = wire.text(params.get("selected_label_name"), "selected_label_name")
    named = params.get("label")
    # The stock server puts the path of the uploaded file where clients put the name of the segment.
    label = None if path is not None and named == str(path) else wire.text(named, "label")
    upload = None if path is None else read_label_prompts(path, volume, params, axis, asked_slice)
    return selected or label, upload


def _with_upload(drafts: list[PromptedObject], upload: LabelPrompts) -> list[PromptedObject]:
    if len(drafts) != 1:
        raise RequestError("An uploaded label goes with one object: send one object per request, or no label.")
    (draft,) = drafts
    return [replace(draft, prompts=replace(draft.prompts, scribbles=upload.scribbles, mask=upload.mask))]


def _only_on(slice_index: int, axis: int, drafts: list[PromptedObject]) -> tuple[list[PromptedObject], int]:
    # A stock client on slice 0 sends the points of all slices; those elsewhere belong to other answers.
    here, ignored = [], 0
    for draft in drafts:
        points = tuple(point for point in draft.prompts.points if point.voxel[axis] == slice_index)
        ignored += len(draft.prompts.points) - len(points)
        prompts = replace(draft.prompts, points=points)
        if not prompts.is_empty:
            here.append(replace(draft, prompts=prompts))
    if ignored and not here:
        elsewhere = next(point for draft in drafts for point in draft.prompts.points)
        raise RequestError(
            f"The point {list(elsewhere.voxel)} lies on slice {elsewhere.voxel[axis]} along axis {axis}, but 'slice' "
            f"is {slice_index}: click on that slice or leave 'slice' out."
        )
    return here, ignored


def _common_slice(objects: Sequence[PromptedObject], axis: int) -> int:
    found = sorted({one.prompts.slice_index(axis) for one in objects})
    if len(found) > 1:
        raise RequestError(
            f"The objects lie on slices {', '.join(map(str, found))} along axis {axis}; one request answers one slice: "
            "name it with 'slice'."
        )
    return found[0]


def _check_size(count: int, shape_ijk: tuple[int, int, int], axis: int) -> None:
    rows, columns = (size for other, size in enumerate(shape_ijk) if other != axis)
    allowed = max(1, MAX_PIXELS // (rows * columns))
    if count > allowed:
        raise RequestError(
            f"The request has {count} objects; at most {allowed} fit into one request for a slice of {rows} x "
            f"{columns} pixels."
        )


def _nothing_prompted(with_classes: bool) -> str:
    if with_classes:
        return "Classes alone do not say where to look: add a click, a box, a scribble or a mask."
    return "Nothing is prompted: send 'foreground' points, a 'roi', 'boxes', a label per class or a label file."
