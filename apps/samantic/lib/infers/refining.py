"""The decoder pass of one answer, continued from the same person's last answer where the prompts continue it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from samantic.app.lib.infers.label_map import union
from samantic.app.lib.infers.model_threads import ModelThreads
from samantic.app.lib.infers.request import InferRequest
from samantic.app.lib.infers.sessions import (
    Extent,
    ObjectKey,
    PromptSummary,
    Refinements,
    Remembered,
    start_of,
)
from samantic.imaging import SliceView, Volume, Window
from samantic.segsam import ImageFeatures, LookLogits, ObjectPrediction, SegSamPredictor, ViewPrompts


@dataclass(frozen=True)
class Refined:
    """Predictions, one per prompted object, and what to remember of them; `keys` is empty where nobody is known."""

    predictions: tuple[ObjectPrediction, ...]
    keys: tuple[ObjectKey, ...]
    summaries: tuple[PromptSummary, ...]
    starts: tuple[LookLogits | None, ...]
    earlier_extent: Extent | None


class Refining:
    """Decodes all objects of a request in one pass and keeps their low-resolution logits for the next click.

    Source: ours, after SAM's refinement from the previous mask.
    """

    def __init__(self, predictor: SegSamPredictor, threads: ModelThreads, refinements: Refinements) -> None:
        self._predictor = predictor
        self._threads = threads
        self._refinements = refinements

    def decode(
        self, features: ImageFeatures, asked: InferRequest, volume: Volume, view: SliceView, window: Window
    ) -> Refined:
        """Predict every object of the request."""
        if asked.resets and asked.owner:
            self._refinements.forget(asked.owner, volume.content_hash)
        keys = self._keys(asked, volume, view, window)
        earlier = [self._refinements.recall(key) for key in keys] or [None] * len(asked.objects)
        summaries = tuple(PromptSummary.of(one.prompts) for one in asked.objects)
        starts = tuple(
            # A mask that the person sends says more than the one the server remembers.
            start_of(summary, before, self._predictor.weights_hash) if one.prompts.mask is None else None
            for one, summary, before in zip(asked.objects, summaries, earlier, strict=True)
        )
        prompts = [
            replace(ViewPrompts.from_prompt_set(one.prompts, view), low_res_logits=start)
            for one, start in zip(asked.objects, starts, strict=True)
        ]
        predictions = self._threads.decode(
            lambda: self._predictor.decode(features, prompts, asked.classes or None, asked.multimask)
        )
        return Refined(tuple(predictions), keys, summaries, starts, _earlier_extent(earlier))

    def remember(self, refined: Refined, extent: Extent | None) -> None:
        """Keep the answer for the next click of the same person on the same objects."""
        for key, prediction, summary, start in zip(
            refined.keys, refined.predictions, refined.summaries, refined.starts, strict=False
        ):
            logits = prediction.low_res_logits
            self._refinements.remember(key, Remembered(summary, start, logits, extent, self._predictor.weights_hash))

    def _keys(self, asked: InferRequest, volume: Volume, view: SliceView, window: Window) -> tuple[ObjectKey, ...]:
        if asked.owner is None:
            return ()
        return tuple(
            ObjectKey(asked.owner, volume.content_hash, f"{view.key} {window.key}", name)
            for name in _object_names(asked)
        )


def _object_names(asked: InferRequest) -> list[str]:
    if len(asked.objects) == 1:
        return [asked.objects[0].label or asked.label or ""]
    return [one.label or f"object {number}" for number, one in enumerate(asked.objects)]


def _earlier_extent(earlier: Sequence[Remembered | None]) -> Extent | None:
    extent = None
    for before in earlier:
        extent = union(extent, before.extent if before else None)
    return extent
