"""The infer task `segsam_auto`: an image without a prompt -> one label map of the classes that are in it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from fastapi import HTTPException
from monailabel.interfaces.tasks.infer_v2 import InferTask, InferType

from samantic.app.lib.infers.answer import ResultFormat, new_file, write_labels
from samantic.app.lib.infers.automatic_json import automatic_json, extent_of_all
from samantic.app.lib.infers.automatic_request import MAPS, AutomaticRequest, read_automatic_request
from samantic.app.lib.infers.class_choice import ClassChoice
from samantic.app.lib.infers.features import SliceFeatures
from samantic.app.lib.infers.images import OpenImages, usual_window
from samantic.app.lib.infers.model_threads import ModelThreads
from samantic.app.lib.infers.sessions import Extent
from samantic.app.lib.infers.stopwatch import Stopwatch
from samantic.app.lib.infers.wire import RequestError, sentence
from samantic.imaging import ImageReadError, Volume, Window, WindowError, crop_affine, write_volume
from samantic.sam import EmbeddingCache
from samantic.segsam import SegSamPredictor
from samantic.segsam.automatic import AutomaticError, AutomaticVolume, Passes, segment_volume
from samantic.vocabulary import UnknownClassError, Vocabulary, load_vocabulary

logger = logging.getLogger(__name__)

REFUSALS = (RequestError, UnknownClassError, ImageReadError, WindowError)
WINDOWS = ("auto", "ct", "soft_tissue", "lung", "bone", "brain", "percentile")

Progress = Callable[[int, int], None]


class SegSamAuto(InferTask):
    """SEG-SAM's automatic mode behind MONAI Label: type segmentation, three-dimensional. Source: ours.

    `provide` gives the predictor to begin a request with: it may be another one for the next request. `cache` is the
    one that clicks are answered from, so that whoever opens a drafted image clicks without waiting.
    """

    def __init__(
        self,
        provide: Callable[[], SegSamPredictor],
        cache: EmbeddingCache | None = None,
        name: str = "segsam_auto",
        images: OpenImages | None = None,
    ) -> None:
        self._provide = provide
        self._cache = cache
        self._name = name
        self._images = images or OpenImages()
        self._vocabulary = load_vocabulary()
        self._threads = ModelThreads()
        super().__init__(
            type=InferType.SEGMENTATION,
            labels=None,
            dimension=3,
            description="SEG-SAM without a prompt: every class that is asked for and found, in one label map",
            config={"window": list(WINDOWS), "map": list(MAPS)},
        )

    @property
    def labels(self) -> list[str]:
        """The classes that the model knows that is served now."""
        return list(self._provide().class_names)

    @labels.setter
    def labels(self, _: Sequence[str]) -> None:
        """The base's constructor sets what is asked of the model."""

    def is_valid(self) -> bool:
        """Whether the model can be used: it is loaded with the task."""
        return True

    def __call__(self, request: Mapping[str, Any]) -> tuple[str | None, dict[str, Any]]:
        """Answer one request: the path of a temporary file (None if no file is wanted) and the JSON result.

        Raises fastapi.HTTPException 422 with one plain sentence for whatever is wrong with the request.
        """
        try:
            return self.answer(request)
        except REFUSALS as error:
            raise HTTPException(422, sentence(error)) from error

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
            volume = self._images.open(_image_path(params))
            asked = read_automatic_request(params, volume, ClassChoice(self._vocabulary, predictor.class_names))
            window = usual_window(volume, asked.window)
        with watch.stage("segment"):
            found = self._found(predictor, volume, window, asked, watch, on_progress, is_cancelled)
        extent = extent_of_all(found.structures)
        result = automatic_json(found, asked, extent)
        path = None
        if asked.form.to_file:
            with watch.stage("write"):
                names = result["label_names"]
                path = _Writer(volume, extent, asked.form).write(found, asked.map, names, self._vocabulary)
        result |= {
            "written_extent": extent if asked.form.crop else _everything(volume),
            "model": self._name,
            "weights_hash": predictor.weights_hash,
            "window": window.name,
            "latencies": watch.latencies,
        }
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


def automatic_request(
    task: SegSamAuto, params: Mapping[str, Any], on_progress: Progress, is_cancelled: Callable[[], bool]
) -> tuple[str | None, dict[str, Any]]:
    """Answer one request of a job; raises as `SegSamAuto.answer`."""
    return task.answer(params, on_progress, is_cancelled)


@dataclass(frozen=True, eq=False)
class _Writer:
    volume: Volume
    extent: Extent | None
    form: ResultFormat

    def write(self, found: AutomaticVolume, wanted: str, names: Mapping[str, int], vocabulary: Vocabulary) -> str:
        if wanted == "labels":
            labels, lower = self._cut(found.labels)
            return str(write_labels(self.volume, labels, lower, self.form, names, vocabulary))
        values = found.confidence if wanted == "confidence" else found.uncertainty
        assert values is not None
        part, lower = self._cut(values)
        affine = self.volume.affine if lower is None else crop_affine(self.volume.affine, lower)
        with new_file(self.form) as path:
            write_volume(path, Volume(part.astype(np.float32), affine), durable=False)
        return str(path)

    def _cut(self, array: np.ndarray) -> tuple[np.ndarray, tuple[int, int, int] | None]:
        if not self.form.crop:
            return array, None
        # Where nothing was found, one voxel is the smallest that a file can hold.
        x0, x1, y0, y1, z0, z1 = self.extent or (0, 1, 0, 1, 0, 1)
        return array[x0:x1, y0:y1, z0:z1], (x0, y0, z0)


def _image_path(params: Mapping[str, Any]) -> str:
    path = params.get("image")
    if not isinstance(path, str):
        raise RequestError("No image was named: give an image id, a session or a file.")
    return path


def _everything(volume: Volume) -> Extent:
    i, j, k = volume.shape_ijk
    return 0, i, 0, j, 0, k
