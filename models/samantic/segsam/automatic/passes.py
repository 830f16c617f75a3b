"""How the automatic mode gets at the networks: straight, or as a server wants it."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import torch

from samantic.imaging import SliceView, Volume, Window, to_uint8
from samantic.segsam.looking import AT_ONCE
from samantic.segsam.predictor import ImageFeatures, ObjectPrediction, SegSamPredictor
from samantic.segsam.semantic_map import only_classes
from samantic.segsam.view_prompts import ViewPrompts

PIXELS_AT_ONCE = 48_000_000
"""Of all answers of one pass: each is a picture of logits."""

Result = TypeVar("Result")


class Run(Protocol):
    """Runs a decoder's or the head's pass where such passes belong."""

    def __call__(self, job: Callable[[], Result]) -> Result: ...


def run_here(job: Callable[[], Result]) -> Result:
    """Run a pass straight away."""
    return job()


@dataclass(frozen=True)
class Passes:
    """`features` of a slice, from a cache or from the encoder; `run` for all other passes of networks."""

    features: Callable[[SliceView], ImageFeatures]
    run: Run = run_here


def own_passes(predictor: SegSamPredictor, volume: Volume, window: Window) -> Passes:
    """Passes in this thread, through the predictor's cache where it has one."""

    def features(view: SliceView) -> ImageFeatures:
        picture = to_uint8(view.extract(volume.array), window)
        if predictor.cache is None:
            return predictor.encode(picture, view.spacing_yx_mm)
        key = predictor.embedding_key(volume.content_hash, view.key, window.key)
        return predictor.embed(picture, view.spacing_yx_mm, key)

    return Passes(features)


def at_once(shape: tuple[int, int]) -> int:
    """How many objects of a picture (rows, cols) one pass answers."""
    return max(1, min(AT_ONCE, PIXELS_AT_ONCE // (shape[0] * shape[1])))


def decoded(
    predictor: SegSamPredictor,
    features: ImageFeatures,
    prompts: Iterable[ViewPrompts],
    run: Run = run_here,
    check: Callable[[], None] = lambda: None,
) -> Iterator[ObjectPrediction]:
    """The answers to prompts on one picture, in their order, a pass at a time.

    Names are free among all classes that the model knows. `check` is called before every pass and may raise.
    """
    waiting = iter(prompts)
    while some := list(itertools.islice(waiting, at_once(features.transform.shape))):
        check()
        yield from run(functools.partial(predictor.decode, features, some))


@torch.inference_mode()
def head_logits(predictor: SegSamPredictor, features: ImageFeatures, classes: tuple[str, ...]) -> torch.Tensor:
    """What the head says on its own grid: (C + 1, g, h) float32, background first; others count as background."""
    head: Any = predictor.network.prompt_free_head
    asked = [predictor.class_names.index(name) for name in classes]
    return only_classes(head(features.maps).float(), asked)[0].cpu()
