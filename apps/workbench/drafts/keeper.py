"""When drafts are written, offered and removed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from SamanticLib.errors import SamanticError
from SamanticLib.session_ports import LaneWorker, SceneImage
from SamanticLib.session_state import SessionView

from .snapshot import Copied
from .store import Draft, DraftPlace, DraftStore, fingerprint_of

SOON_S, EVERY_S = 0.5, 3.0
"""A draft is written so long after a change, so that a click does not wait for it, and at most so often."""

LANE = "draft"
NOT_KEPT = "{error} What you draw is not kept as a draft meanwhile; submit it soon."


logger = logging.getLogger(__name__)


class DraftedScene(Protocol):
    """What is kept: `scene.workbench_scene.WorkbenchScene`."""

    @property
    def revision(self) -> tuple[Any, ...]: ...

    @property
    def voxels(self) -> np.ndarray: ...

    def copied(self) -> Copied: ...


class DraftKeeper:
    """Keeps what is drawn and not submitted on the disk; whoever opens the image after a crash is offered it.

    later(seconds, callable): calls in the person's thread. say(kind, text): one sentence to the person. offered(draft):
    a draft of the image that was opened, or None where there is none any more. Source: ours.
    """

    def __init__(
        self,
        store: DraftStore,
        scene: DraftedScene,
        worker: LaneWorker,
        later: Callable[[float, Callable[[], None]], Any],
        say: Callable[[str, str], None],
        offered: Callable[[Draft | None], None],
    ) -> None:
        self._store, self._scene, self._worker = store, scene, worker
        self._later, self._say, self._offered = later, say, offered
        self._image: SceneImage | None = None
        self._place: DraftPlace | None = None
        self._source: Draft | None = None
        self._kept: tuple[Any, ...] = ()
        self._is_wanted = self._is_waiting = self._has_failed = self._may_exist = False
        self._written_at = -EVERY_S

    def see(self, view: SessionView) -> None:
        """Look at a session after a change: write soon what is not submitted, remove what is."""
        if view.image is not self._image:
            self._begin(view)
        self._is_wanted = view.image is not None and view.unsaved
        if not self._is_wanted:
            self._forget()
        elif self._scene.revision != self._kept and not self._is_waiting:
            self._is_waiting = True
            since = time.monotonic() - self._written_at
            self._later(max(SOON_S, EVERY_S - since), self._keep)

    def took(self, draft: Draft) -> None:
        """A draft is in the scene now; it stays until what is in the scene is kept anew, submitted or discarded."""
        self._source = draft

    def discard(self, draft: Draft) -> None:
        """Remove a draft that nobody wants."""
        self._run(lambda: self._store.remove(draft))

    def flush(self) -> None:
        """Write at once what is not kept yet, as at the end; the worker must have ended."""
        if not self._is_wanted or self._place is None or self._scene.revision == self._kept:
            return
        try:
            snapshot = self._scene.copied().settled()
            if snapshot is not None:
                self._store.write(self._place, snapshot)
        except SamanticError as error:
            logger.error("%s", error)

    def _begin(self, view: SessionView) -> None:
        # Who leaves an image has submitted its labels, or has said that they may go.
        self._forget()
        self._image, self._place, self._kept = view.image, None, ()
        self._offered(None)
        image = view.image
        if image is None:
            return
        server, voxels, opened_with = view.url.rstrip("/"), self._scene.voxels, self._scene.revision

        def look() -> tuple[DraftPlace, Draft | None]:
            place = DraftPlace(server, image.image_id, fingerprint_of(voxels, image.ijk_to_ras))
            return place, self._store.newest(place)

        def found(answer: tuple[DraftPlace, Draft | None]) -> None:
            if self._image is not image:
                return
            self._place, draft = answer
            if draft is not None and self._scene.revision == opened_with:
                self._offered(draft)

        self._run(look, found)

    def _keep(self) -> None:
        self._is_waiting = False
        if not self._is_wanted or self._scene.revision == self._kept:
            return
        place, source = self._place, self._source
        if place is None or self._worker.busy(LANE):
            self._is_waiting = True
            self._later(SOON_S, self._keep)
            return
        try:
            revision, copy = self._scene.revision, self._scene.copied()
        except SamanticError as error:
            self._failed(error)
            return
        self._kept, self._written_at, self._may_exist = revision, time.monotonic(), True

        def write() -> None:
            snapshot = copy.settled()
            if snapshot is None:
                self._store.remove_own(place)
            else:
                self._store.write(place, snapshot)
            if source is not None:
                self._store.remove(source)

        def written(_: None) -> None:
            self._has_failed = False
            if self._source is source:
                self._source = None

        self._run(write, written)

    def _forget(self) -> None:
        place, source = self._place, self._source
        if place is None or not (self._may_exist or source is not None):
            return
        self._may_exist, self._source, self._kept = False, None, ()

        def remove() -> None:
            self._store.remove_own(place)
            if source is not None:
                self._store.remove(source)

        self._run(remove)

    def _run(self, work: Callable[[], Any], done: Callable[[Any], None] = lambda _: None) -> None:
        # In order, in one lane: what was submitted is not written again by a draft that was under way.
        try:
            self._worker.submit(LANE, work, done, self._failed)
        except SamanticError as error:
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        self._kept = ()
        if not self._has_failed:
            self._has_failed = True
            said = str(error) if isinstance(error, SamanticError) else f"The folder of drafts cannot be used: {error}."
            self._say("error", NOT_KEPT.format(error=said))
