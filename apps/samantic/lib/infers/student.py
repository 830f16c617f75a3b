"""The infer task of a Mamba student: an image without a prompt -> one label map, within a moment on a CPU."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from monailabel.interfaces.tasks.infer_v2 import InferType

from samantic.app.lib.infers.automatic_json import extent_of_image
from samantic.app.lib.infers.images import OpenImages, named_image, usual_window
from samantic.app.lib.infers.map_file import MAPS, MapFile
from samantic.app.lib.infers.model_threads import ModelThreads
from samantic.app.lib.infers.stopwatch import Stopwatch
from samantic.app.lib.infers.student_json import student_json
from samantic.app.lib.infers.student_request import StudentRequest, read_student_request
from samantic.app.lib.infers.whole_image_task import Progress, WholeImageTask
from samantic.app.lib.infers.wire import RequestError
from samantic.imaging import Volume, Window
from samantic.segsam.cancelling import Cancelled
from samantic.student import StudentAnswer, StudentPredictor
from samantic.student.suitability import is_for_volumes
from samantic.vocabulary import load_vocabulary

logger = logging.getLogger(__name__)


class Student(WholeImageTask):
    """A student behind MONAI Label: type segmentation, photographs and volumes. Source: ours.

    `provide` gives the predictor to begin a request with: it may be another one for the next request.
    """

    def __init__(
        self, provide: Callable[[], StudentPredictor], name: str = "student", images: OpenImages | None = None
    ) -> None:
        self._provide = provide
        self._name = name
        self._images = images or OpenImages()
        self._threads = ModelThreads()
        self._vocabulary = load_vocabulary()
        for_volumes = is_for_volumes(provide().network.config)
        super().__init__(
            type=InferType.SEGMENTATION,
            labels=None,
            dimension=3 if for_volumes else 2,
            description="A small network with Mamba mixers that segments a whole "
            f"{'volume' if for_volumes else 'photograph'} without a prompt",
            config={"map": list(MAPS)},
        )

    @property
    def labels(self) -> list[str]:
        """The classes that the student knows that is served now."""
        return list(self._provide().class_names)

    @labels.setter
    def labels(self, _: Sequence[str]) -> None:
        """The base's constructor sets what is asked of the model."""

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
        result |= {
            "written_extent": extent if asked.form.crop else extent_of_image(volume),
            "model": self._name,
            "weights_hash": predictor.weights_hash,
            "window": window.name,
            "latencies": watch.latencies,
        }
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
