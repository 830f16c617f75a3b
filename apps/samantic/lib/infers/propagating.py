"""One object through the whole volume: a request with `propagate` -> a mask in three dimensions and its JSON."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from fastapi import HTTPException
from monailabel.interfaces.tasks.infer_v2 import InferTask

from samantic.app.lib.infers.answer import ResultFormat, read_format, write_labels
from samantic.app.lib.infers.answer_json import answer_json
from samantic.app.lib.infers.images import OpenImages, usual_window
from samantic.app.lib.infers.label_map import label_values
from samantic.app.lib.infers.model_threads import ModelThreads
from samantic.app.lib.infers.propagation_request import read_propagation_request, wanted_ways
from samantic.app.lib.infers.sessions import Extent
from samantic.app.lib.infers.stopwatch import Stopwatch
from samantic.imaging import SliceView, Volume
from samantic.segsam import ImageFeatures, ObjectPrediction, SegSamPredictor, SemanticMap, ViewPrompts
from samantic.segsam.propagation import Directions, PropagatedVolume, PropagationOptions, propagate
from samantic.vocabulary import Vocabulary

if TYPE_CHECKING:
    from samantic.app.lib.infers.class_choice import ClassChoice

logger = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
Answer = tuple[str | None, dict[str, Any]]
Result = TypeVar("Result")


def propagate_request(
    task: InferTask, params: Mapping[str, Any], on_progress: Progress, is_cancelled: Callable[[], bool]
) -> Answer:
    """Answer one request of a job: `params` as those of `POST /infer/segsam`, with the image's path.

    Raises Cancelled, and fastapi.HTTPException 422 with one plain sentence for whatever is wrong with the request.
    """
    from samantic.app.lib.infers.segsam import SegSam

    if not isinstance(task, SegSam):
        raise HTTPException(422, "This model answers one slice at a time; use the model 'segsam' to propagate.")
    if wanted_ways(params) is None:
        raise HTTPException(422, "'propagate' is none, so there is nothing to do: use both, up or down.")
    return task.answer(params, on_progress, is_cancelled)


@dataclass(frozen=True, eq=False)
class Propagating:
    """Answers requests with `propagate` by one network. Nothing is remembered of them for the next click."""

    predictor: SegSamPredictor
    choice: ClassChoice
    images: OpenImages
    threads: ModelThreads
    vocabulary: Vocabulary
    name: str

    def answer(
        self,
        image: str,
        params: Mapping[str, Any],
        directions: Directions,
        on_progress: Progress = lambda _done, _total: None,
        is_cancelled: Callable[[], bool] = lambda: False,
    ) -> Answer:
        """The path of a temporary mask file (None if no file is wanted) and the JSON result.

        Raises Cancelled, and what `read_propagation_request` raises.
        """
        watch = Stopwatch()
        with watch.stage("read"):
            volume = self.images.open(image)
            request = read_propagation_request(params, volume, self.choice, directions)
            asked = request.asked
            form = read_format(params, volume)
            window = usual_window(volume, asked.window)
            view = SliceView.of(volume, asked.axis, asked.slice_index)
        with watch.stage("propagate"):
            found = propagate(
                _InTurn(self.predictor, self.threads),
                volume,
                window,
                request.prompted,
                PropagationOptions(asked.axis, directions, asked.classes),
                on_progress=on_progress,
                is_cancelled=is_cancelled,
            )
        values = label_values(asked, [found.prediction])
        extent = _extent_of(found.labels)
        path = None
        if form.to_file:
            with watch.stage("write"):
                path = self._written(volume, view, found, values.of_object[0], extent, form, values.names)
        result = answer_json(asked, [found.prediction], values, view, extent)
        result["objects"][0]["extent"] = extent
        i, j, k = volume.shape_ijk
        result |= {
            "propagation": _propagation_json(found),
            "written_extent": extent if form.crop else (0, i, 0, j, 0, k),
            "model": self.name,
            "weights_hash": self.predictor.weights_hash,
            "window": window.name,
            "embedding_source": "encoder",
            "latencies": watch.latencies,
        }
        logger.info("propagated over slices %s in %s ms", found.slices, result["latencies"]["total"])
        return path, result

    def _written(
        self,
        volume: Volume,
        view: SliceView,
        found: PropagatedVolume,
        value: int,
        extent: Extent | None,
        form: ResultFormat,
        names: Mapping[str, int],
    ) -> str:
        array, lower = found.labels, None
        if form.crop:
            # Where nothing was found, one empty voxel is the smallest mask that a file can hold.
            i, j, k = (view.index if axis == view.axis else 0 for axis in range(3))
            x0, x1, y0, y1, z0, z1 = extent or (i, i + 1, j, j + 1, k, k + 1)
            array, lower = array[x0:x1, y0:y1, z0:z1], (x0, y0, z0)
        if value != 1:
            np.multiply(array, value, out=array, casting="unsafe")
        return str(write_labels(volume, array, lower, form, names, self.vocabulary))


class _InTurn:
    """A predictor in the threads where networks run: a click waits for one slice's pass, not for all of them."""

    def __init__(self, predictor: SegSamPredictor, threads: ModelThreads) -> None:
        self._predictor = predictor
        self._threads = threads
        self.has_prompt_free_head = predictor.has_prompt_free_head

    def encode(self, image: np.ndarray, spacing_yx_mm: tuple[float, float] = (1.0, 1.0)) -> ImageFeatures:
        return self._threads.encode(lambda: self._predictor.encode(image, spacing_yx_mm))

    def decode(
        self, features: ImageFeatures, prompts: Sequence[ViewPrompts], classes: Sequence[str] | None = None
    ) -> list[ObjectPrediction]:
        return self._threads.decode(lambda: self._predictor.decode(features, prompts, classes))

    def semantic_map(self, features: ImageFeatures, classes: Sequence[str] | None = None) -> SemanticMap:
        return self._threads.decode(lambda: self._predictor.semantic_map(features, classes))


def _extent_of(labels: np.ndarray) -> Extent | None:
    """Half-open voxel bounds (x0, x1, y0, y1, z0, z1) of what is not 0, None if nothing is."""
    bounds: list[int] = []
    for axis in range(3):
        there = np.flatnonzero(labels.any(axis=tuple(other for other in range(3) if other != axis)))
        if not len(there):
            return None
        bounds += [int(there[0]), int(there[-1]) + 1]
    x0, x1, y0, y1, z0, z1 = bounds
    return x0, x1, y0, y1, z0, z1


def _propagation_json(found: PropagatedVolume) -> dict[str, Any]:
    return {
        "slices": None if found.slices is None else list(found.slices),
        "stopped": dict(found.stopped),
        "confidence": {str(index): round(value, 4) for index, value in sorted(found.confidence.items())},
    }
