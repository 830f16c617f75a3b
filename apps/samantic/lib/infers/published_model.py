"""The model that is served now: of the version that training published last, or that a person went back to."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Generic, TypeVar

from samantic.training.model_store import BUNDLED, ModelStore, ModelStoreError

Model = TypeVar("Model")

logger = logging.getLogger(__name__)


class PublishedModel(Generic[Model]):
    """Loads the current version of a store, and another one when the store says that it serves another.

    `load` makes a model of a weights file and raises `refusal` for one that is none. Asking costs one `stat` of a small
    file. Who holds an older model keeps it until done. While one request loads a version, others are answered by the
    one before; one that cannot be loaded is logged, and the one before stays. Without a version it is `start`. Raises
    `refusal` if even that cannot be loaded. Source: ours.
    """

    def __init__(self, store: ModelStore, start: Path, load: Callable[[Path], Model], refusal: type[Exception]) -> None:
        self._store = store
        self._start = start
        self._load = load
        self._refusals = (refusal, OSError)
        self._loading = threading.Lock()
        store.clean_up()
        self._stamp = store.stamp()
        self._model = self._first()

    def now(self) -> Model:
        """Return the model to begin a request with; keep it until the request is answered."""
        if self._store.stamp() != self._stamp and self._loading.acquire(blocking=False):
            try:
                self._load_what_is_served()
            finally:
                self._loading.release()
        return self._model

    def _load_what_is_served(self) -> None:
        stamp = self._store.stamp()
        if stamp == self._stamp:
            return
        try:
            model = self._store.current()
            self._model = self._load(self._start if model is None else model.path)
            logger.info("Serving version %s", BUNDLED if model is None else model.version)
        except (ModelStoreError, *self._refusals):
            logger.exception("The version that was published last cannot be served; the one before it still is")
        self._stamp = stamp

    def _first(self) -> Model:
        for path in self._newest_first():
            try:
                return self._load(path)
            except self._refusals:
                logger.exception("%s cannot be served; the one before it is", path)
        return self._load(self._start)

    def _newest_first(self) -> Iterator[Path]:
        """The weights that are served, then those published before them."""
        try:
            model = self._store.current()
            if model is not None:
                yield model.path
                older = [other.path for other in self._store.history() if int(other.version) < int(model.version)]
                yield from reversed(older)
        except ModelStoreError:
            logger.exception("The versions in %s cannot be read", self._store.folder)
