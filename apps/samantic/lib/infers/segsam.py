"""The infer task `segsam`: a click, box, scribble or mask on one slice -> a mask, its class, and who else is there."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import HTTPException
from monailabel.interfaces.tasks.infer_v2 import InferTask, InferType

from samantic.app.lib.infers.answer import read_format, write_answer
from samantic.app.lib.infers.answer_json import answer_json
from samantic.app.lib.infers.class_choice import ClassChoice
from samantic.app.lib.infers.features import SliceFeatures
from samantic.app.lib.infers.images import OpenImages, named_image, usual_window
from samantic.app.lib.infers.label_map import extent_of, label_map, label_values, union
from samantic.app.lib.infers.model_threads import ModelThreads
from samantic.app.lib.infers.propagating import Propagating
from samantic.app.lib.infers.propagation_request import wanted_ways
from samantic.app.lib.infers.published_predictor import PublishedPredictor
from samantic.app.lib.infers.refining import Refining
from samantic.app.lib.infers.request import read_request
from samantic.app.lib.infers.segsam_eyes import SegSamEyes
from samantic.app.lib.infers.sessions import Refinements
from samantic.app.lib.infers.stopwatch import Stopwatch
from samantic.app.lib.infers.wire import RequestError, sentence
from samantic.imaging import ImageReadError, SliceView, WindowError
from samantic.prompts import PromptError
from samantic.sam import EmbeddingCache, embeddings_folder
from samantic.segsam import SegSamPredictor
from samantic.vocabulary import UnknownClassError, load_vocabulary

logger = logging.getLogger(__name__)

REFUSALS = (RequestError, PromptError, UnknownClassError, ImageReadError, WindowError)
WINDOWS = ("auto", "ct", "soft_tissue", "lung", "bone", "brain", "percentile")


@dataclass(frozen=True, eq=False)
class ServedModel:
    """One network, and what is made for it; a request is answered by the one that it began with."""

    predictor: SegSamPredictor
    choice: ClassChoice
    features: SliceFeatures
    refining: Refining


class SegSam(InferTask):
    """SEG-SAM behind MONAI Label: type deepgrow, two-dimensional; all state is bounded and kept apart by person.

    Without arguments: the bundled model, with embeddings kept in memory and in the state folder unless the environment
    variable SAMANTIC_EMBEDDING_CACHE is "off". A PublishedPredictor may change under way: the next request is answered
    by what it serves then, and the labels are those that it knows. Source: ours.
    """

    def __init__(
        self,
        predictor: SegSamPredictor | PublishedPredictor | None = None,
        cache: EmbeddingCache | None = None,
        name: str = "segsam",
        images: OpenImages | None = None,
        refinements: Refinements | None = None,
    ) -> None:
        if predictor is None:
            predictor, cache = SegSamPredictor.from_bundled(), cache or usual_cache()
        self._published = predictor if isinstance(predictor, PublishedPredictor) else None
        self._name = name
        self._vocabulary = load_vocabulary()
        self._images = images or OpenImages()
        self._cache = cache
        self._threads = ModelThreads()
        self._refinements = refinements or Refinements()
        self._served = self._made_for(predictor.now() if isinstance(predictor, PublishedPredictor) else predictor)
        super().__init__(
            type=InferType.DEEPGROW,
            labels=None,
            dimension=2,
            description="SEG-SAM: click, box or scribble on a slice for a mask, its class and who else is present",
            config={"window": list(WINDOWS)},
        )

    @property
    def labels(self) -> list[str]:
        """The classes that the model knows that is served now."""
        return list(self.served().predictor.class_names)

    @labels.setter
    def labels(self, _: Sequence[str]) -> None:
        """The base's constructor sets what is asked of the model."""

    def served(self) -> ServedModel:
        """Return the model to answer a request with from beginning to end."""
        served = self._served
        if self._published is None or (predictor := self._published.now()) is served.predictor:
            return served
        self._served = self._made_for(predictor)
        return self._served

    def eyes(self) -> SegSamEyes:
        """Return what strategies look at images with."""
        model = self.served()
        return SegSamEyes(model.predictor, model.features)

    def _made_for(self, predictor: SegSamPredictor) -> ServedModel:
        return ServedModel(
            predictor,
            ClassChoice(self._vocabulary, predictor.class_names),
            SliceFeatures(predictor, self._cache, self._threads),
            Refining(predictor, self._threads, self._refinements),
        )

    def is_valid(self) -> bool:
        """Whether the model can be used: it is loaded with the task."""
        return True

    def __call__(self, request: Mapping[str, Any]) -> tuple[str | None, dict[str, Any]]:
        """Answer one request: the path of a temporary mask file (None if no file is wanted) and the JSON result.

        Raises fastapi.HTTPException 422 with one plain sentence for whatever is wrong with the request.
        """
        return self.answer(request)

    def answer(
        self,
        params: Mapping[str, Any],
        on_progress: Callable[[int, int], None] = lambda _done, _total: None,
        is_cancelled: Callable[[], bool] = lambda: False,
    ) -> tuple[str | None, dict[str, Any]]:
        """Answer like a call; through several slices, say how far it is after each, and stop when told to.

        Raises Cancelled, and fastapi.HTTPException as a call does.
        """
        try:
            ways = wanted_ways(params)
            if ways is None:
                return self._answer(params)
            model = self.served()
            propagating = Propagating(
                model.predictor, model.choice, self._images, self._threads, self._vocabulary, self._name
            )
            return propagating.answer(named_image(params), params, ways, on_progress, is_cancelled)
        except REFUSALS as error:
            raise HTTPException(422, sentence(error)) from error

    def _answer(self, params: Mapping[str, Any]) -> tuple[str | None, dict[str, Any]]:
        watch = Stopwatch()
        model = self.served()
        with watch.stage("read"):
            volume = self._images.open(named_image(params))
            asked = read_request(params, volume, model.choice)
            form = read_format(params, volume)
            view = SliceView.of(volume, asked.axis, asked.slice_index)
            window = usual_window(volume, asked.window)
        with model.features.first_in_line():
            embedded = model.features.of(volume, view, window, watch)
            with watch.stage("decode"):
                refined = model.refining.decode(embedded.features, asked, volume, view, window)
        values = label_values(asked, refined.predictions)
        labels = label_map(refined.predictions, values.of_object)
        extent = extent_of(labels, view)
        changed = union(extent, refined.earlier_extent)
        path = None
        if form.to_file:
            with watch.stage("write"):
                path = write_answer(volume, view, labels, changed, form, values.names, self._vocabulary)
        model.refining.remember(refined, extent)
        model.features.prefetch_around(volume, view, window)
        result = answer_json(asked, refined.predictions, values, view, extent)
        result |= {
            "written_extent": changed if form.crop else _everything(view),
            "model": self._name,
            "weights_hash": model.predictor.weights_hash,
            "window": window.name,
            "embedding_source": embedded.source,
            "latencies": watch.latencies,
        }
        logger.info("slice %d: embedding from %s, %s ms", view.index, embedded.source, result["latencies"]["total"])
        return None if path is None else str(path), result


def usual_cache() -> EmbeddingCache | None:
    """The embedding cache in the state folder, None if SAMANTIC_EMBEDDING_CACHE is "off" (to measure without it)."""
    if os.environ.get("SAMANTIC_EMBEDDING_CACHE", "").strip().lower() == "off":
        return None
    return EmbeddingCache(embeddings_folder())


def _everything(view: SliceView) -> tuple[int, ...]:
    i, j, k = view.volume_shape_ijk
    return 0, i, 0, j, 0, k
