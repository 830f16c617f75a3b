"""The infer task `breast`: an ultrasound of the breast -> the lesion's mask, a diagnosis, and where it was looked."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from samantic.app.lib.infers.breast_json import VALUE, breast_json
from samantic.app.lib.infers.breast_request import MAPS, BreastRequest, read_breast_request
from samantic.app.lib.infers.images import OpenImages, named_image, usual_window
from samantic.app.lib.infers.interruptible import interruptible
from samantic.app.lib.infers.label_map import extent_of
from samantic.app.lib.infers.map_file import MapFile, in_volume
from samantic.app.lib.infers.stopwatch import Stopwatch
from samantic.app.lib.infers.whole_image_task import Progress, WholeImageTask
from samantic.app.lib.infers.wire import RequestError
from samantic.breast import BreastAnswer, BreastReader
from samantic.breast.diagnosis import LESION
from samantic.breast.squares import has_colours
from samantic.imaging import SliceView, to_uint8

logger = logging.getLogger(__name__)


class Breast(WholeImageTask[BreastReader]):
    """The prompt-free network behind MONAI Label: type segmentation, for breast ultrasound. Source: ours."""

    def __init__(
        self, provide: Callable[[], BreastReader], name: str = "breast", images: OpenImages | None = None
    ) -> None:
        super().__init__(
            provide,
            name,
            images,
            labels=[LESION],
            dimension=2,
            description="Breast ultrasound: the lesion, and how likely normal, benign and malignant are",
            config={"map": list(MAPS)},
        )

    def answer(
        self,
        params: Mapping[str, Any],
        on_progress: Progress = lambda _done, _total: None,
        is_cancelled: Callable[[], bool] = lambda: False,
    ) -> tuple[str | None, dict[str, Any]]:
        """Answer like a call, and stop before the picture is read when told to.

        Raises Cancelled, and RequestError, UnknownClassError, ImageReadError or WindowError.
        """
        watch = Stopwatch()
        reader = self._provide()
        with watch.stage("read"):
            volume = self._images.open(named_image(params))
            asked = read_breast_request(params, volume)
            window = usual_window(volume, asked.window)
        view = SliceView.of(volume, 2, 0)

        def read() -> BreastAnswer:
            picture = to_uint8(view.extract(volume.array), window)
            if has_colours(picture):
                raise RequestError(
                    "This is a picture in colours, and breast reads grey pictures of ultrasound; use segsam for it."
                )
            with interruptible(reader.network.encoder, 1, on_progress, is_cancelled):
                return reader.read(picture)

        with watch.stage("segment"):
            # One picture at a time: a large one takes hundreds of megabytes while it is looked at.
            answer = self._threads.encode(read)
        on_progress(1, 1)
        extent = extent_of(answer.mask, view)
        result = breast_json(answer, asked, self._vocabulary[LESION], extent)
        path = None
        if asked.form.to_file:
            with watch.stage("write"):
                path = self._written(answer, asked, view, MapFile(volume, extent, asked.form))
        result |= self.origin(reader, volume, window, extent, asked.form.crop, watch)
        logger.info("%s, %d pixels of lesion in %s ms", answer.diagnosis, answer.mask.sum(), watch.latencies["total"])
        return path, result

    def _written(self, answer: BreastAnswer, asked: BreastRequest, view: SliceView, file: MapFile) -> str:
        if asked.map == "labels":
            labels = in_volume(answer.mask.astype(np.uint8) * np.uint8(VALUE), view)
            return file.labels(labels, {LESION: VALUE}, self._vocabulary)
        if asked.map == "attention":
            return file.fractions(in_volume(answer.attention, view))
        return file.fractions(in_volume(np.where(answer.mask, answer.probability, 1 - answer.probability), view))
