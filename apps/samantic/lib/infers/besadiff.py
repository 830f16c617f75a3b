"""The infer task `besadiff`: a photograph of skin -> the lesion's mask, and how sure each pixel of it is."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from samantic.app.lib.infers.besadiff_coarse import CoarseMasks
from samantic.app.lib.infers.besadiff_eyes import LesionEyes
from samantic.app.lib.infers.besadiff_json import LARGEST_VARIANCE, VALUE, besadiff_json
from samantic.app.lib.infers.besadiff_request import LESION, MEMBERS, STEPS, BesaDiffRequest, read_besadiff_request
from samantic.app.lib.infers.images import OpenImages, named_image, usual_window
from samantic.app.lib.infers.interruptible import interruptible
from samantic.app.lib.infers.label_map import extent_of
from samantic.app.lib.infers.map_file import MAPS, MapFile, in_volume
from samantic.app.lib.infers.stopwatch import Stopwatch
from samantic.app.lib.infers.whole_image_task import Progress, WholeImageTask
from samantic.besadiff import BesaDiffPipeline, LesionAnswer, LesionSegmenter, MaskRefiner
from samantic.imaging import SliceView, to_uint8
from samantic.sam import EmbeddingCache
from samantic.segsam import SegSamPredictor

logger = logging.getLogger(__name__)


class BesaDiff(WholeImageTask[LesionSegmenter]):
    """BESA-Diff behind MONAI Label: type segmentation, for colour photographs. Source: ours.

    The SEG-SAM that `predictor` gives refines what the ensemble found, and answers prompts, whose mask the diffusion
    then sharpens; `cache` is that of clicks.
    """

    def __init__(
        self,
        provide: Callable[[], LesionSegmenter],
        predictor: Callable[[], SegSamPredictor],
        cache: EmbeddingCache | None = None,
        name: str = "besadiff",
        images: OpenImages | None = None,
    ) -> None:
        self._predictor = predictor
        super().__init__(
            provide,
            name,
            images,
            labels=[LESION],
            dimension=2,
            description="BESA-Diff: the lesion in a photograph of skin, by an ensemble that says how sure it is",
            config={"members": MEMBERS, "steps": STEPS, "seed": 0, "map": list(MAPS)},
        )
        self._coarse = CoarseMasks(predictor, cache, self._threads)

    def eyes(self) -> LesionEyes:
        """Return what strategies look at images with."""
        return LesionEyes(self._provide(), self._threads)

    def answer(
        self,
        params: Mapping[str, Any],
        on_progress: Progress = lambda _done, _total: None,
        is_cancelled: Callable[[], bool] = lambda: False,
    ) -> tuple[str | None, dict[str, Any]]:
        """Answer like a call, say how far the work is after every step, and stop when told to.

        Raises Cancelled, and RequestError, PromptError, UnknownClassError, ImageReadError or WindowError.
        """
        watch = Stopwatch()
        segmenter = self._provide()
        with watch.stage("read"):
            volume = self._images.open(named_image(params))
            asked = read_besadiff_request(params, volume)
            window = usual_window(volume, asked.window)
        view, coarse, origin = SliceView.of(volume, 2, 0), None, None
        if asked.prompted is not None:
            coarse, origin = self._coarse.of(asked.prompted, volume, view, window, watch)

        # The refiner goes on from SAM's answer for as many steps again.
        passes = asked.steps * (2 if asked.refine and coarse is None else 1)

        def sampled() -> LesionAnswer:
            picture = to_uint8(view.extract(volume.array), window)
            with interruptible(segmenter.network, passes, on_progress, is_cancelled):
                return _sampled(segmenter, self._predictor, picture, coarse, asked)

        with watch.stage("segment"):
            # One photograph at a time: a large one takes hundreds of megabytes while it is looked at.
            answer = self._threads.encode(sampled)
        on_progress(passes, passes)
        extent = extent_of(answer.mask, view)
        result = besadiff_json(answer, asked, self._vocabulary[LESION], extent, origin)
        path = None
        if asked.form.to_file:
            with watch.stage("write"):
                path = self._written(answer, asked, view, MapFile(volume, extent, asked.form))
        result |= self.origin(segmenter, volume, window, extent, asked.form.crop, watch)
        logger.info("%d pixels of lesion in %s ms", answer.mask.sum(), result["latencies"]["total"])
        return path, result

    def _written(self, answer: LesionAnswer, asked: BesaDiffRequest, view: SliceView, file: MapFile) -> str:
        if asked.map == "labels":
            labels = in_volume(answer.mask.astype(np.uint8) * np.uint8(VALUE), view)
            return file.labels(labels, {LESION: VALUE}, self._vocabulary)
        if asked.map == "uncertainty":
            return file.fractions(in_volume(answer.variance, view), LARGEST_VARIANCE)
        return file.fractions(in_volume(np.where(answer.mask, answer.probability, 1 - answer.probability), view))


def _sampled(
    segmenter: LesionSegmenter,
    predictor: Callable[[], SegSamPredictor],
    picture: np.ndarray,
    coarse: np.ndarray | None,
    asked: BesaDiffRequest,
) -> LesionAnswer:
    sampling = {"members": asked.members, "steps": asked.steps, "seed": asked.seed}
    if coarse is not None:
        return segmenter.sharpen(picture, coarse, **sampling)
    if not asked.refine:
        return segmenter.segment(picture, **sampling)
    refiner = MaskRefiner(predictor(), segmenter, members=asked.members, steps=asked.steps)
    return BesaDiffPipeline(segmenter, refiner).segment(picture, **sampling)
