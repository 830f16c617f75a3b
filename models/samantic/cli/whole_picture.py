"""A whole picture by the network for breast ultrasound or by the one for photographs of skin, without a server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from samantic.breast import BreastReader
from samantic.breast.diagnosis import DIAGNOSES, LESION
from samantic.breast.squares import has_colours
from samantic.cli.class_names import known_classes
from samantic.cli.devices import usable_device
from samantic.cli.segment import Answer, Request, segment_of_class
from samantic.cli.weights_kind import kind_of, weights_file
from samantic.imaging import ImageReadError, SliceView, Volume, read_volume, to_uint8, window_for
from samantic.skinphoto.classes import CLASS_NAMES
from samantic.skinphoto.segmenter import SkinSegmenter
from samantic.vocabulary import load_vocabulary

BREAST = ("breast", "breast-ultrasound")
SKIN = ("skin_photo", "skin-photo")
"""What a person may call them, the name of the bundled one last."""


@dataclass(frozen=True, eq=False)
class PictureReply:
    """What was found, ready to be written, and what to say of it, a line each."""

    answer: Answer
    told: tuple[str, ...]


def is_of_breast(model: str) -> bool:
    """Whether `--model` names a network for breast ultrasound, or a file of one."""
    return model in BREAST or kind_of(model) == "breast"


def is_of_skin(model: str) -> bool:
    """Whether `--model` names a network for photographs of skin, or a file of one."""
    return model in SKIN or kind_of(model) == "skinphoto"


def read_breast_picture(request: Request, step: Callable[[str], None] = lambda _: None) -> PictureReply:
    """Outline the lesion and judge it. Raises BreastFileError, and what `segment` raises."""
    volume, view, picture = _picture(request, (LESION,), step)
    if has_colours(picture):
        raise ImageReadError(f"'{request.image.name}' is a picture in colours, not ultrasound; use another --model")
    step("Loading the model")
    reader = BreastReader.load(_file(request, BREAST), usable_device(request.device))
    step("Looking")
    found = reader.read(picture)
    segment = segment_of_class(LESION, 1)
    shares = zip(DIAGNOSES, found.diagnosis_probabilities, strict=True)
    told = [
        f"breast lesion: {int(found.mask.sum())} pixels" if found.mask.any() else "No lesion was found.",
        ", ".join(f"{name} {share:.0%}" for name, share in shares) + "; not a medical device",
    ]
    if found.out_of_domain:
        told.append("This picture is unlike anything that the model was trained on; rely on nothing of it.")
    elif found.unsure:
        told.append("Not sure of the diagnosis.")
    labels = found.mask.astype(np.uint8)
    return PictureReply(Answer(volume, view, picture, (), (segment,), labels), tuple(told))


def segment_skin(request: Request, step: Callable[[str], None] = lambda _: None) -> PictureReply:
    """Find skin and lesions. Raises SkinPhotoWeightsError, and what `segment` raises."""
    volume, view, picture = _picture(request, CLASS_NAMES, step)
    step("Loading the model")
    segmenter = SkinSegmenter.load(_file(request, SKIN), usable_device(request.device))
    step("Looking")
    labels = segmenter.segment(picture).labels(view.shape)
    segments = tuple(segment_of_class(name, value) for value, name in enumerate(CLASS_NAMES, start=1))
    told = tuple(f"{one.value} {one.name}: {(labels == one.value).mean():.1%} of the photograph" for one in segments)
    return PictureReply(Answer(volume, view, picture, (), segments, labels), told)


def _picture(
    request: Request, known: tuple[str, ...], step: Callable[[str], None]
) -> tuple[Volume, SliceView, np.ndarray]:
    if request.points or request.negatives or request.boxes:
        raise ValueError(f"{request.model} takes no points and no boxes; use another --model for them.")
    step(f"Reading {request.image.name}")
    volume = read_volume(request.image, request.modality)
    if volume.shape_ijk[2] != 1:
        raise ImageReadError(f"'{request.image.name}' is no single picture; use another --model for it")
    known_classes(load_vocabulary(), known, request.classes, request.text)
    view = SliceView.of(volume, 2, 0)
    return volume, view, to_uint8(view.extract(volume.array), window_for(volume, request.window))


def _file(request: Request, names: tuple[str, ...]) -> Path:
    return weights_file(names[-1] if request.model in names else request.model)
