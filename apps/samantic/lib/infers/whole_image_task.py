"""What every infer task that is given an image and no prompt has in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

from fastapi import HTTPException
from monailabel.interfaces.tasks.infer_v2 import InferTask, InferType

from samantic.app.lib.infers.automatic_json import extent_of_image
from samantic.app.lib.infers.images import OpenImages
from samantic.app.lib.infers.model_threads import ModelThreads
from samantic.app.lib.infers.stopwatch import Stopwatch
from samantic.app.lib.infers.wire import RequestError, sentence
from samantic.imaging import ImageReadError, Volume, Window, WindowError
from samantic.prompts import PromptError
from samantic.vocabulary import UnknownClassError, load_vocabulary

REFUSALS = (RequestError, PromptError, UnknownClassError, ImageReadError, WindowError)
"""What is wrong with a request rather than with the server."""

Progress = Callable[[int, int], None]


class Weighed(Protocol):
    """A model that says which weights it has."""

    @property
    def weights_hash(self) -> str: ...


class Classed(Protocol):
    """A model that says which classes it tells apart."""

    @property
    def class_names(self) -> Sequence[str]: ...


Model = TypeVar("Model", bound=Weighed)


class WholeImageTask(InferTask, Generic[Model]):
    """An infer task that reads a whole image at once: type segmentation. Source: ours.

    `provide` gives the model to begin a request with: it may be another one for the next request. `labels`,
    `dimension`, `description` and `config` are what `/info/` tells of the task.
    """

    def __init__(
        self,
        provide: Callable[[], Model],
        name: str,
        images: OpenImages | None,
        *,
        labels: Sequence[str] | None,
        dimension: int,
        description: str,
        config: Mapping[str, Any],
    ) -> None:
        self._provide = provide
        self._name = name
        self._images = images or OpenImages()
        self._threads = ModelThreads()
        self._vocabulary = load_vocabulary()
        super().__init__(
            type=InferType.SEGMENTATION,
            labels=None if labels is None else list(labels),
            dimension=dimension,
            description=description,
            config=dict(config),
        )

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

    @abstractmethod
    def answer(
        self,
        params: Mapping[str, Any],
        on_progress: Progress = lambda _done, _total: None,
        is_cancelled: Callable[[], bool] = lambda: False,
    ) -> tuple[str | None, dict[str, Any]]:
        """Answer like a call, say how far the work is, and stop when told to. Raises Cancelled, and one of REFUSALS."""

    def origin(
        self, model: Model, volume: Volume, window: Window, extent: Any, cropped: bool, watch: Stopwatch
    ) -> dict[str, Any]:
        """Return what every answer tells of where it comes from: which part was written, by which weights, how fast."""
        return {
            "written_extent": extent if cropped else extent_of_image(volume),
            "model": self._name,
            "weights_hash": model.weights_hash,
            "window": window.name,
            "latencies": watch.latencies,
        }


class LabelsOfModel:
    """The labels of a task are the classes of the model that is served now."""

    _provide: Callable[[], Classed]

    @property
    def labels(self) -> list[str]:
        """The classes that the model knows that is served now."""
        return list(self._provide().class_names)

    @labels.setter
    def labels(self, _: Sequence[str]) -> None:
        """The base's constructor sets what is asked of the model."""
