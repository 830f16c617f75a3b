"""The lesion in one photograph by BESA-Diff, without a server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from samantic.besadiff import BesaDiffPipeline, LesionAnswer, LesionSegmenter, MaskRefiner
from samantic.bundled import bundled_weights
from samantic.cli.class_names import known_classes
from samantic.cli.devices import usable_device
from samantic.cli.segment import Answer, Request, prompts_of, segment_of_class
from samantic.imaging import ImageReadError, SliceView, read_volume, to_uint8, window_for
from samantic.segsam import SegSamPredictor, objects_of
from samantic.vocabulary import load_vocabulary

BUNDLED = "besadiff-segmenter"
MODELS = ("besadiff", BUNDLED)
"""What a person may call it."""

LESION = "skin_lesion"


@dataclass(frozen=True, eq=False)
class LesionReply:
    """What was found, and what is needed to write files."""

    found: LesionAnswer
    answer: Answer


def segment_lesion(request: Request, step: Callable[[str], None] = lambda _: None) -> LesionReply:
    """Find the lesion; prompts are answered by SEG-SAM, whose mask is then sharpened. `step` hears what is done next.

    Raises what `segment` raises, and ImageReadError for an image that is no colour photograph.
    """
    step(f"Reading {request.image.name}")
    volume = read_volume(request.image, request.modality)
    if volume.kind != "photograph" or not volume.is_rgb:
        raise ImageReadError(f"'{request.image.name}' is no photograph in colour; use another --model for it.")
    prompts = prompts_of(request, volume)
    known_classes(load_vocabulary(), (LESION,), request.classes, request.text)
    view = SliceView.of(volume, 2, 0)
    picture = to_uint8(view.extract(volume.array), window_for(volume))

    step("Loading the model")
    device = usable_device(request.device)
    segmenter = LesionSegmenter.load(bundled_weights(BUNDLED), device)
    predictor = SegSamPredictor.from_bundled(device=device)
    if prompts.is_empty:
        step("Looking")
        found = BesaDiffPipeline(segmenter, MaskRefiner(predictor, segmenter)).segment(picture)
    else:
        step("Answering the prompts")
        objects = objects_of(prompts, view)
        if len(objects) > 1:
            raise ValueError(f"There are {len(objects)} boxes; besadiff sharpens one lesion at a time.")
        (prediction,) = predictor.decode(predictor.encode(picture, view.spacing_yx_mm), objects)
        step("Sharpening")
        found = segmenter.sharpen(picture, prediction.mask)
    segment = segment_of_class(LESION, 1)
    return LesionReply(found, Answer(volume, view, picture, (), (segment,), found.mask.astype(np.uint8)))
