"""A whole photograph or volume by a Mamba student, without a server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from samantic.bundled import bundled_models
from samantic.cli.class_names import known_classes
from samantic.cli.devices import usable_device
from samantic.cli.segment import Request, segment_of_class
from samantic.imaging import (
    ImageReadError,
    SegmentInfo,
    SliceView,
    Volume,
    overlay_png,
    read_volume,
    to_uint8,
    window_for,
    write_mask,
)
from samantic.student import StudentAnswer, StudentPredictor
from samantic.student.suitability import unsuitable
from samantic.vocabulary import load_vocabulary

ANY = "student"
"""The bundled student that is for the image."""

SUFFIX = ".safetensors"


@dataclass(frozen=True, eq=False)
class StudentReply:
    """What was found, and what is needed to write files; the picture is of the slice that shows most of it."""

    found: StudentAnswer
    volume: Volume
    view: SliceView
    picture: np.ndarray
    segments: tuple[SegmentInfo, ...]

    def write_mask(self, path: Path) -> None:
        """Write the label map in the image's grid."""
        write_mask(path, np.asfortranarray(self.found.labels), self.volume, list(self.segments))

    def write_overlay(self, path: Path) -> None:
        """Write the slice with what was found drawn over it."""
        colours = {segment.value: segment.colour_rgb for segment in self.segments}
        overlay_png(path, self.picture, self.view.extract(self.found.labels), colours, self.view.spacing_yx_mm)


def is_student(model: str) -> bool:
    """Whether `--model` names a student: `student`, a bundled one, or a file of weights."""
    return model == ANY or model.startswith(f"{ANY}-") or model.endswith(SUFFIX)


def segment_by_student(request: Request, step: Callable[[str], None] = lambda _: None) -> StudentReply:
    """Segment the whole image; `step` hears what is done next.

    Raises StudentError, and ImageReadError, WindowError or ValueError, each with one plain sentence.
    """
    if request.points or request.negatives or request.boxes:
        raise ValueError("A student takes no points and no boxes; use another --model for them.")
    if request.slice_index is not None:
        raise ValueError("A student segments the whole image; leave --slice out.")
    step(f"Reading {request.image.name}")
    volume = read_volume(request.image, request.modality)
    step("Loading the model")
    predictor = _predictor(request, volume)
    known_classes(load_vocabulary(), predictor.class_names, request.classes, request.text)
    window = window_for(volume, request.window)
    found = predictor.segment_volume(volume, window, on_progress=lambda done, total: step(f"{done} of {total} slices"))
    view = _fullest_slice(volume, found.labels)
    segments = tuple(segment_of_class(name, value) for value, name in enumerate(found.class_names, 1))
    return StudentReply(found, volume, view, to_uint8(view.extract(volume.array), window), segments)


def _predictor(request: Request, volume: Volume) -> StudentPredictor:
    device = usable_device(request.device)
    if request.model.endswith(SUFFIX):
        return _suitable(StudentPredictor.load(Path(request.model), device), volume, request)
    if request.model != ANY:
        return _suitable(StudentPredictor.from_bundled(request.model, device), volume, request)
    bundled = [name for name in bundled_models() if name.startswith(f"{ANY}-")]
    for name in bundled:
        predictor = StudentPredictor.from_bundled(name, device)
        if unsuitable(predictor.network.config, volume) is None:
            return predictor
    raise ImageReadError(f"'{request.image.name}' is for none of the bundled students: {', '.join(bundled)}")


def _suitable(predictor: StudentPredictor, volume: Volume, request: Request) -> StudentPredictor:
    why = unsuitable(predictor.network.config, volume)
    if why is not None:
        raise ImageReadError(f"'{request.image.name}' {why}, which this student is for; use another --model for it")
    return predictor


def _fullest_slice(volume: Volume, labels: np.ndarray) -> SliceView:
    """Across the last axis; the middle one where nothing was found."""
    sizes = np.count_nonzero(labels, axis=(0, 1))
    return SliceView.of(volume, 2, int(sizes.argmax()) if sizes.any() else volume.shape_ijk[2] // 2)
