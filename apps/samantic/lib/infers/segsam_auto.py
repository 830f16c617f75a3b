"""The infer task `segsam_auto`: an image without a prompt -> one label map of the classes that are in it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from samantic.app.lib.infers.automatic_json import automatic_json, extent_of_all
from samantic.app.lib.infers.automatic_request import AutomaticRequest, read_automatic_request
from samantic.app.lib.infers.class_choice import ClassChoice
from samantic.app.lib.infers.features import SliceFeatures
from samantic.app.lib.infers.images import OpenImages, named_image, usual_window
from samantic.app.lib.infers.map_file import MAPS, MapFile
from samantic.app.lib.infers.stopwatch import Stopwatch
from samantic.app.lib.infers.whole_image_task import LabelsOfModel, Progress, WholeImageTask
from samantic.app.lib.infers.wire import RequestError
from samantic.imaging import ImageReadError, Volume, Window, WindowError
from samantic.sam import EmbeddingCache
from samantic.segsam import SegSamPredictor
from samantic.segsam.automatic import AutomaticError, AutomaticVolume, Passes, segment_volume
from samantic.vocabulary import UnknownClassError

logger = logging.getLogger(__name__)

REFUSALS = (RequestError, UnknownClassError, ImageReadError, WindowError)
WINDOWS = ("auto", "ct", "soft_tissue", "lung", "bone", "brain", "percentile")


class SegSamAuto(LabelsOfModel, WholeImageTask[SegSamPredictor]):
    """SEG-SAM's automatic mode behind MONAI Label: type segmentation, three-dimensional. Source: ours.

    `cache` is the one that clicks are answered from, so that whoever opens a drafted image clicks without waiting.
    """

    def __init__(
        self,
        provide: Callable[[], SegSamPredictor],
        cache: EmbeddingCache | None = None,
        name: str = "segsam_auto",
        images: OpenImages | None = None,
    ) -> None:
        self._cache = cache
        super().__init__(
            provide,
            name,
            images,
            labels=None,
            dimension=3,
            description="SEG-SAM without a prompt: every class that is asked for and found, in one label map",
            config={"window": list(WINDOWS), "map": list(MAPS)},
        )

    def answer(
        self,
        params: Mapping[str, Any],
        on_progress: Progress = lambda _done, _total: None,
        is_cancelled: Callable[[], bool] = lambda: False,
    ) -> tuple[str | None, dict[str, Any]]:
        """Answer like a call, say how far the work is after every slice, and stop when told to.

        Raises Cancelled, and RequestError, UnknownClassError, ImageReadError or WindowError with one plain sentence.
        """
        watch = Stopwatch()
        predictor = self._provide()
        with watch.stage("read"):
            volume = self._images.open(named_image(params))
            asked = read_automatic_request(params, volume, ClassChoice(self._vocabulary, predictor.class_names))
            window = usual_window(volume, asked.window)
        with watch.stage("segment"):
            found = self._found(predictor, volume, window, asked, watch, on_progress, is_cancelled)
        extent = extent_of_all(found.structures)
        result = automatic_json(found, asked, extent)
        path = None
        if asked.form.to_file:
            with watch.stage("write"):
                path = self._written(found, asked, MapFile(volume, extent, asked.form), result["label_names"])
        result |= self.origin(predictor, volume, window, extent, asked.form.crop, watch)
        logger.info("%d structures in %s ms", len(found.structures), result["latencies"]["total"])
        return path, result

    def _found(
        self,
        predictor: SegSamPredictor,
        volume: Volume,
        window: Window,
        asked: AutomaticRequest,
        watch: Stopwatch,
        on_progress: Progress,
        is_cancelled: Callable[[], bool],
    ) -> AutomaticVolume:
        slices = SliceFeatures(predictor, self._cache, self._threads)
        passes = Passes(lambda view: slices.of(volume, view, window, watch).features, self._threads.decode)
        try:
            return segment_volume(
                predictor,
                volume,
                window,
                asked.options,
                on_progress=on_progress,
                is_cancelled=is_cancelled,
                passes=passes,
            )
        except AutomaticError as error:
            raise RequestError(str(error)) from error

    def _written(self, found: AutomaticVolume, asked: AutomaticRequest, file: MapFile, names: Mapping[str, int]) -> str:
        if asked.map == "labels":
            return file.labels(found.labels, names, self._vocabulary)
        values = found.confidence if asked.map == "confidence" else found.uncertainty
        assert values is not None
        return file.fractions(values)
