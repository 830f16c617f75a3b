"""The infer task of a Mamba student: an image without a prompt -> one label map, within a moment on a CPU."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from samantic.app.lib.infers.images import OpenImages, named_image, usual_window
from samantic.app.lib.infers.map_file import MAPS, MapFile
from samantic.app.lib.infers.stopwatch import Stopwatch
from samantic.app.lib.infers.student_json import student_json
from samantic.app.lib.infers.student_request import StudentRequest, read_student_request
from samantic.app.lib.infers.whole_image_task import LabelsOfModel, Progress, WholeImageTask
from samantic.app.lib.infers.wire import RequestError
from samantic.imaging import Volume, Window
from samantic.segsam.cancelling import Cancelled
from samantic.student import StudentAnswer, StudentPredictor
from samantic.student.suitability import is_for_volumes

logger = logging.getLogger(__name__)


class Student(LabelsOfModel, WholeImageTask[StudentPredictor]):
    """A student behind MONAI Label: type segmentation, photographs and volumes. Source: ours."""

    def __init__(
        self, provide: Callable[[], StudentPredictor], name: str = "student", images: OpenImages | None = None
    ) -> None:
        for_volumes = is_for_volumes(provide().network.config)
        super().__init__(
            provide,
            name,
            images,
            labels=None,
            dimension=3 if for_volumes else 2,
            description="A small network with Mamba mixers that segments a whole "
            f"{'volume' if for_volumes else 'photograph'} without a prompt",
            config={"map": list(MAPS)},
        )

    def answer(
        self,
        params: Mapping[str, Any],
        on_progress: Progress = lambda _done, _total: None,
        is_cancelled: Callable[[], bool] = lambda: False,
    ) -> tuple[str | None, dict[str, Any]]:
        """Answer like a call, say how far the work is after every few slices, and stop when told to.

        Raises Cancelled, and RequestError, UnknownClassError, ImageReadError or WindowError.
        """
        watch = Stopwatch()
        predictor = self._provide()
        with watch.stage("read"):
            volume = self._images.open(named_image(params))
            asked = read_student_request(params, volume, predictor.network.config)
            window = usual_window(volume, asked.window)
        with watch.stage("segment"):
            # One image at a time: its probabilities may take gigabytes while it is looked at.
            answer = self._threads.encode(lambda: _found(predictor, volume, window, asked, on_progress, is_cancelled))
        result = student_json(answer, asked)
        extent = result["extent"]
        path = None
        if asked.form.to_file:
            with watch.stage("write"):
                path = self._written(answer, asked, MapFile(volume, extent, asked.form), result["label_names"])
        result |= self.origin(predictor, volume, window, extent, asked.form.crop, watch)
        logger.info("%d structures in %s ms", len(result["structures"]), result["latencies"]["total"])
        return path, result

    def _written(self, answer: StudentAnswer, asked: StudentRequest, file: MapFile, names: Mapping[str, int]) -> str:
        if asked.map == "labels":
            return file.labels(np.asfortranarray(answer.labels), names, self._vocabulary)
        values = answer.confidence if asked.map == "confidence" else answer.uncertainty
        return file.fractions(np.asfortranarray(values.astype(np.float32)))


def _found(
    predictor: StudentPredictor,
    volume: Volume,
    window: Window,
    asked: StudentRequest,
    on_progress: Progress,
    is_cancelled: Callable[[], bool],
) -> StudentAnswer:
    def check() -> None:
        if is_cancelled():
            raise Cancelled

    try:
        return predictor.segment_volume(volume, window, axes=asked.axes, on_progress=on_progress, check=check)
    except ValueError as error:
        raise RequestError(str(error)) from error
