"""What a person points at -> a coarse mask of the lesion, by SEG-SAM."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from samantic.app.lib.infers.features import SliceFeatures
from samantic.app.lib.infers.model_threads import ModelThreads
from samantic.app.lib.infers.request import InferRequest
from samantic.app.lib.infers.stopwatch import Stopwatch
from samantic.app.lib.infers.wire import RequestError
from samantic.imaging import SliceView, Volume, Window
from samantic.sam import EmbeddingCache
from samantic.segsam import SegSamPredictor, ViewPrompts


class CoarseMasks:
    """Masks of prompts; SEG-SAM is loaded by the first that needs it, and its embeddings are those of clicks.

    Source: ours.
    """

    def __init__(
        self, predictor: Callable[[], SegSamPredictor], cache: EmbeddingCache | None, threads: ModelThreads
    ) -> None:
        self._predictor = predictor
        self._cache = cache
        self._threads = threads

    def of(
        self, asked: InferRequest, volume: Volume, view: SliceView, window: Window, watch: Stopwatch
    ) -> tuple[np.ndarray, str]:
        """Return a mask (rows, cols) bool and where it comes from, "prompt" or "mask": a drawn one is taken as it is.

        Raises RequestError where SEG-SAM finds nothing.
        """
        (prompted,) = asked.objects
        prompts = ViewPrompts.from_prompt_set(prompted.prompts, view)
        if prompts.mask is not None and not len(prompts.points_xy) and prompts.box_xyxy is None:
            return prompts.mask, "mask"
        predictor = self._predictor()
        features = SliceFeatures(predictor, self._cache, self._threads).of(volume, view, window, watch).features
        with watch.stage("decode"):
            (prediction,) = self._threads.decode(lambda: predictor.decode(features, [prompts]))
        if not prediction.mask.any():
            raise RequestError("SEG-SAM finds nothing there: move the prompts, or send none for the whole photograph.")
        return prediction.mask, "prompt"
