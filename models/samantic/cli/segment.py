"""One slice of one image, segmented without a server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from samantic.cli.automatic import find_classes
from samantic.cli.class_names import known_classes
from samantic.cli.coordinates import as_box, as_point
from samantic.cli.devices import usable_device
from samantic.imaging import (
    Modality,
    SegmentInfo,
    SliceView,
    Volume,
    overlay_png,
    read_volume,
    to_uint8,
    window_for,
    write_mask,
)
from samantic.prompts import PromptError, PromptSet
from samantic.segsam import ObjectPrediction, SegSamPredictor, objects_of
from samantic.vocabulary import load_vocabulary, terminology_string

COLOUR_OF_OWN_NAMES = (128, 174, 128)


@dataclass(frozen=True)
class Request:
    """What was typed: prompts as text, candidate classes, the view, and the model."""

    image: Path
    points: tuple[str, ...] = ()
    negatives: tuple[str, ...] = ()
    boxes: tuple[str, ...] = ()
    classes: str = ""
    text: str | None = None
    axis: int = 2
    slice_index: int | None = None
    window: str | None = None
    modality: Modality | None = None
    model: str = "segsam-tiny"
    device: str | None = None


@dataclass(frozen=True, eq=False)
class Answer:
    """What was found: one prediction per object, its value in the mask, and what is needed to write files."""

    volume: Volume
    view: SliceView
    picture: np.ndarray
    predictions: tuple[ObjectPrediction, ...]
    segments: tuple[SegmentInfo, ...]
    labels: np.ndarray

    def write_mask(self, path: Path) -> None:
        """Write the label map in the image's grid."""
        array = np.zeros(self.volume.shape_ijk, np.uint8, order="F")
        self.view.insert(array, self.labels)
        write_mask(path, array, self.volume, list({segment.value: segment for segment in self.segments}.values()))

    def write_overlay(self, path: Path) -> None:
        """Write the slice with the objects drawn over it."""
        colours = {segment.value: segment.colour_rgb for segment in self.segments}
        overlay_png(path, self.picture, self.labels, colours, self.view.spacing_yx_mm)


def segment(request: Request, step: Callable[[str], None] = lambda _: None) -> Answer:
    """Read, check, encode and decode; `step` is called with what is done next.

    Raises ImageReadError, WindowError, ViewError, PromptError, UnknownClassError, TextEncoderError, typer's
    BadParameter or ValueError, each with one plain sentence.
    """
    step(f"Reading {request.image.name}")
    volume = read_volume(request.image, request.modality)
    prompts = prompts_of(request, volume)
    view = SliceView.of(volume, request.axis, _slice_of(request, prompts, volume))
    window = window_for(volume, request.window)
    picture = to_uint8(view.extract(volume.array), window)

    step("Loading the model")
    predictor = SegSamPredictor.from_bundled(request.model, usable_device(request.device))
    classes = known_classes(load_vocabulary(), predictor.class_names, request.classes, request.text)
    step("Encoding the slice")
    features = predictor.encode(picture, view.spacing_yx_mm)
    if prompts.is_empty:
        step("Looking everywhere")
        predictions = find_classes(
            predictor, features, view.shape, classes, lambda share: step(f"Looking everywhere: {share:.0%}")
        )
    else:
        step("Answering the prompts")
        predictions = predictor.decode(features, objects_of(prompts, view), classes or None)
    segments = _segments(predictions, classes)
    if window.name == "ct":
        # The network reads three windows as colours; people read the one for soft tissue.
        picture = to_uint8(view.extract(volume.array), window_for(volume, "soft_tissue"))
    return Answer(volume, view, picture, tuple(predictions), segments, _label_map(predictions, segments, view.shape))


def prompts_of(request: Request, volume: Volume) -> PromptSet:
    """The prompts that were typed, checked for the image. Raises PromptError and typer's BadParameter."""
    photograph = volume.kind == "photograph"
    prompts = PromptSet(
        points=(
            *(as_point(text, True, photograph) for text in request.points),
            *(as_point(text, False, photograph) for text in request.negatives),
        ),
        boxes=tuple(as_box(text, request.axis, request.slice_index, photograph) for text in request.boxes),
    )
    if prompts.is_empty:
        return prompts
    return prompts.validated(volume.shape_ijk, axis=request.axis, slice_index=request.slice_index)


def segment_of_class(name: str, value: int) -> SegmentInfo:
    """Name, colour and terminology of a class, or of one that somebody taught a model."""
    vocabulary = load_vocabulary()
    if name in vocabulary:
        meant = vocabulary[name]
        return SegmentInfo(value, meant.label, meant.colour_rgb, terminology_string(meant))
    return SegmentInfo(value, name, COLOUR_OF_OWN_NAMES)


def _slice_of(request: Request, prompts: PromptSet, volume: Volume) -> int:
    if request.slice_index is not None:
        return request.slice_index
    if not prompts.is_empty:
        return prompts.slice_index(request.axis)
    if not request.classes and request.text is None:
        raise PromptError("Nothing says what to segment; give --point, --box, or --classes to look for.")
    if volume.shape_ijk[request.axis] == 1:
        return 0
    raise PromptError(
        f"Nothing says on which slice to look; give --slice, 0 to {volume.shape_ijk[request.axis] - 1}, or a prompt."
    )


def _segments(predictions: list[ObjectPrediction], classes: tuple[str, ...]) -> tuple[SegmentInfo, ...]:
    """Values are 1..n in the order of the classes asked for; without them, of the objects."""
    return tuple(
        segment_of_class(
            prediction.predicted_class, classes.index(prediction.predicted_class) + 1 if classes else number
        )
        for number, prediction in enumerate(predictions, start=1)
    )


def _label_map(
    predictions: list[ObjectPrediction], segments: tuple[SegmentInfo, ...], shape: tuple[int, int]
) -> np.ndarray:
    """Where objects overlap, the surer one wins."""
    labels = np.zeros(shape, np.uint8)
    surest = np.full(shape, -np.inf, np.float32)
    for prediction, one in zip(predictions, segments, strict=True):
        wins = prediction.mask & (prediction.mask_logits > surest)
        labels[wins] = one.value
        surest[wins] = prediction.mask_logits[wins]
    return labels
