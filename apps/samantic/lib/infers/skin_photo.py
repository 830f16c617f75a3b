"""The infer task `skin_photo`: an ordinary photograph -> skin, lesions, and crops that are fit for diagnosis."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from samantic.app.lib.infers.images import OpenImages, named_image, usual_window
from samantic.app.lib.infers.interruptible import interruptible
from samantic.app.lib.infers.label_map import extent_of
from samantic.app.lib.infers.map_file import MapFile, in_volume
from samantic.app.lib.infers.skin_photo_json import skin_photo_json
from samantic.app.lib.infers.skin_photo_request import MAPS, SkinPhotoRequest, read_skin_photo_request
from samantic.app.lib.infers.stopwatch import Stopwatch
from samantic.app.lib.infers.whole_image_task import Progress, WholeImageTask
from samantic.imaging import SliceView, to_uint8
from samantic.skinphoto.classes import CLASS_NAMES
from samantic.skinphoto.crop_search import MOST, CropSearch
from samantic.skinphoto.photograph_crops import photograph_crops
from samantic.skinphoto.segmenter import SkinAnswer, SkinSegmenter

logger = logging.getLogger(__name__)


class SkinPhoto(WholeImageTask[SkinSegmenter]):
    """Skin and lesions in ordinary photographs behind MONAI Label: type segmentation, in one pass. Source: ours.

    Masks and crops are in the pixels as the file stores them, as with every other model: what a camera noted about
    turning is not followed, and the network was taught pictures in every orientation.
    """

    def __init__(
        self, provide: Callable[[], SkinSegmenter], name: str = "skin_photo", images: OpenImages | None = None
    ) -> None:
        super().__init__(
            provide,
            name,
            images,
            labels=list(CLASS_NAMES),
            dimension=2,
            description="Skin and lesions in ordinary photographs, and the squares of them that are fit for diagnosis",
            config={"crops": MOST, "map": list(MAPS)},
        )

    def answer(
        self,
        params: Mapping[str, Any],
        on_progress: Progress = lambda _done, _total: None,
        is_cancelled: Callable[[], bool] = lambda: False,
    ) -> tuple[str | None, dict[str, Any]]:
        """Answer like a call, and stop before the photograph is read when told to.

        Raises Cancelled, and RequestError, PromptError, UnknownClassError, ImageReadError or WindowError.
        """
        watch = Stopwatch()
        segmenter = self._provide()
        with watch.stage("read"):
            volume = self._images.open(named_image(params))
            asked = read_skin_photo_request(params, volume)
            window = usual_window(volume, asked.window)
        view = SliceView.of(volume, 2, 0)

        def segmented() -> SkinAnswer:
            with interruptible(segmenter.network, 1, on_progress, is_cancelled):
                return segmenter.segment(to_uint8(view.extract(volume.array), window))

        with watch.stage("segment"):
            # One photograph at a time: a large one takes hundreds of megabytes while it is looked at.
            answer = self._threads.encode(segmented)
        on_progress(1, 1)
        with watch.stage("crop"):
            shape = (volume.shape_ijk[1], volume.shape_ijk[0])
            crops = photograph_crops(answer, shape, replace(CropSearch(), most=asked.crops))
        found, confidence = answer.labels(shape), answer.confidence(shape)
        labels = _values(found, asked)
        extent = extent_of(labels, view)
        result = skin_photo_json(found, confidence, crops, asked, view, self._vocabulary)
        path = None
        if asked.form.to_file:
            with watch.stage("write"):
                file = MapFile(volume, extent, asked.form)
                if asked.map == "labels":
                    path = file.labels(in_volume(labels, view), result["label_names"], self._vocabulary)
                else:
                    path = file.fractions(in_volume(confidence, view))
        result |= {"extent": extent, **self.origin(segmenter, volume, window, extent, asked.form.crop, watch)}
        logger.info("%d crops in %s ms", len(crops), result["latencies"]["total"])
        return path, result


def _values(found: np.ndarray, asked: SkinPhotoRequest) -> np.ndarray:
    """The classes that were asked for under their values, the others as background."""
    table = np.zeros(1 + len(CLASS_NAMES), np.uint8)
    for value, name in enumerate(asked.classes, start=1):
        table[1 + CLASS_NAMES.index(name)] = value
    return table[found]
