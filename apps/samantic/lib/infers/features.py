"""The embedding of a slice: from memory, from disk or from the encoder; its neighbours are prepared meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch

from samantic.app.lib.infers.model_threads import ModelThreads
from samantic.app.lib.infers.stopwatch import Stopwatch
from samantic.imaging import SliceView, Volume, Window, to_uint8
from samantic.sam import EmbeddingCache, EmbeddingKey
from samantic.segsam import ImageFeatures, SegSamPredictor

NEIGHBOURS = 2
"""Slices prepared on either side of the one clicked on: the wheel seldom turns further before the next click."""


@dataclass(frozen=True, eq=False)
class Embedded:
    """Features of a slice and where they came from: "ram", "disk" or "encoder"."""

    features: ImageFeatures
    source: str


class SliceFeatures:
    """Features of slices through a cache; without a cache every call is an encoder pass. Source: ours."""

    def __init__(self, predictor: SegSamPredictor, cache: EmbeddingCache | None, threads: ModelThreads) -> None:
        self._predictor = predictor
        self._cache = cache
        self._threads = threads

    def first_in_line(self) -> AbstractContextManager[None]:
        """While a click is answered, no preparing of neighbours is started."""
        return nullcontext() if self._cache is None else self._cache.hold_prefetch()

    def of(self, volume: Volume, view: SliceView, window: Window, watch: Stopwatch) -> Embedded:
        """Return the features of a slice; stages `window` and `embedding` of the watch."""
        encode = self._encoding(volume, view, window, watch)
        transform = self._predictor.network.input_transform(view.shape, view.spacing_yx_mm)
        key = self._key(volume, view, window)

        def picture() -> np.ndarray:
            return to_uint8(view.extract(volume.array), window)

        if self._cache is None:
            return Embedded(ImageFeatures(encode(), transform, picture), "encoder")
        source = self._cache.source(key) or "encoder"
        with watch.stage("embedding"):
            maps = self._cache.get_or_compute(key, encode)
            maps = {name: one.to(self._predictor.device) for name, one in maps.items()}
            return Embedded(ImageFeatures(maps, transform, picture), source)

    def prefetch_around(self, volume: Volume, view: SliceView, window: Window) -> None:
        """Prepare the neighbouring slices in the background, the nearest first."""
        if self._cache is None:
            return
        count = view.volume_shape_ijk[view.axis]
        indices = [view.index + step * side for step in range(1, NEIGHBOURS + 1) for side in (1, -1)]
        views = [view.at(index) for index in indices if 0 <= index < count]
        self._cache.prefetch(
            [(self._key(volume, one, window), self._encoding(volume, one, window, Stopwatch())) for one in views]
        )

    def _key(self, volume: Volume, view: SliceView, window: Window) -> EmbeddingKey:
        return self._predictor.embedding_key(volume.content_hash, view.key, window.key)

    def _encoding(
        self, volume: Volume, view: SliceView, window: Window, watch: Stopwatch
    ) -> Callable[[], dict[str, torch.Tensor]]:
        def encode() -> dict[str, torch.Tensor]:
            with watch.stage("window"):
                picture = to_uint8(view.extract(volume.array), window)
            with watch.stage("encode"):
                return self._threads.encode(lambda: self._predictor.encode(picture, view.spacing_yx_mm).maps)

        return encode
