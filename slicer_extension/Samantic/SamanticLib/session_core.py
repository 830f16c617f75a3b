"""What all parts of a session share: what is known now, how work is run and errors are told, the way back and forth."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from SamanticLib.answers import (
    Candidate,
    ClassEntry,
    ImageEntry,
    ModelVersion,
    SegmentAnswer,
    ServerInfo,
    TrainingState,
)
from SamanticLib.cancellation import current_cancellation
from SamanticLib.errors import Cancelled, SamanticError, ServerAway
from SamanticLib.prompts import LabelCrop, Prompts
from SamanticLib.session_object import ObjectLayer
from SamanticLib.session_ports import Client, LaneWorker, SceneAdapter, SceneImage
from SamanticLib.session_state import Connection, Notice, Progress

ASK_AGAIN_S = 2.0
"""How often a server that does not answer is asked whether it is back."""

STEPS_KEPT = 200

logger = logging.getLogger(__name__)

Plane = tuple[int, int]
"""A slice: the voxel axis across it and its index."""


@dataclass(frozen=True, eq=False)
class ObjectNow:
    """The object that is being shown to the model: what undo and redo bring back beside the voxels."""

    chosen: ClassEntry | None = None
    segment_id: str = ""
    prompts: Prompts = field(default_factory=Prompts)
    answered: Prompts = field(default_factory=Prompts)
    layer: ObjectLayer | None = None
    answer: SegmentAnswer | None = None
    readings: tuple[Candidate, ...] = ()
    reading: int = -1
    planes: tuple[Plane, ...] = ()
    start_masks: tuple[tuple[Plane, LabelCrop], ...] = ()
    milliseconds: float | None = None


@dataclass
class Now:
    """Everything a session knows at this moment; changed in the person's thread only."""

    url: str = ""
    connection: Connection = Connection.NONE
    info: ServerInfo | None = None
    vocabulary: tuple[ClassEntry, ...] = ()
    images: tuple[ImageEntry, ...] = ()
    image: SceneImage | None = None
    reason: str = ""
    model: str = ""
    object: ObjectNow = field(default_factory=ObjectNow)
    pending: bool = False
    asking: bool = False
    accepted: bool = False
    submitted: bool = False
    unsaved: bool = False
    live: bool = True
    notice: Notice | None = None
    progress: Progress | None = None
    job_id: str = ""
    job_wanted: bool = False
    map_shown: bool = False
    clicks: int = 0
    opened_at: float = 0.0
    training: TrainingState | None = None
    versions: tuple[ModelVersion, ...] = ()


class SessionCore:
    """The shared middle of a session's parts. Source: ours."""

    def __init__(
        self,
        client_factory: Callable[[str], Client],
        scene: SceneAdapter,
        worker: LaneWorker,
        changed: Callable[[], None],
    ) -> None:
        self._client_factory = client_factory
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._steps: dict[int, tuple[ObjectNow, ObjectNow]] = {}
        self.scene = scene
        self.worker = worker
        self.changed = changed
        self.client: Client | None = None
        self.now = Now()

    def connect(self, url: str) -> Client:
        """Return a new client for an address; what was known of another server is forgotten."""
        self.client = self._client_factory(url)
        return self.client

    @property
    def server(self) -> Client:
        """The client; SamanticError before there is a connection."""
        if self.client is None:
            raise SamanticError("There is no server yet; connect to one first.")
        return self.client

    @property
    def folder(self) -> Path:
        """A folder of this session's own, for the images that it fetched and the labels that it sends."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="samantic-")
        return Path(self._folder.name)

    def say(self, kind: str, text: str) -> None:
        """Show one sentence to the person."""
        number = self.now.notice.number + 1 if self.now.notice else 1
        self.now.notice = Notice(kind, text, number)

    def quiet(self) -> None:
        """Take the last sentence away."""
        self.now.notice = None

    def run(
        self,
        lane: str,
        work: Callable[[], Any],
        on_answer: Callable[[Any], None],
        on_error: Callable[[Exception], None] | None = None,
        tell: bool = True,
    ) -> None:
        """Run work in a lane; a failure becomes a sentence, and a server that is gone is watched for."""

        def answered(answer: Any) -> None:
            self._is_there()
            try:
                on_answer(answer)
            except Exception as error:
                self._failed(error, tell=True)
            self.changed()

        def failed(error: Exception) -> None:
            self._failed(error, tell)
            if on_error is not None:
                on_error(error)
            self.changed()

        try:
            self.worker.submit(lane, work, answered, failed)
        except SamanticError as error:
            failed(error)

    def remember(self, step: int, before: ObjectNow, after: ObjectNow) -> None:
        """Note what the object was before and after a step of the scene's undo."""
        self._steps[step] = (before, after)
        while len(self._steps) > STEPS_KEPT:
            del self._steps[min(self._steps)]

    def memory(self, step: int | None) -> tuple[ObjectNow, ObjectNow] | None:
        """Return what was noted about a step; None for a step that somebody else made."""
        return None if step is None else self._steps.get(step)

    def begin_image(self, image: SceneImage) -> None:
        """Start on another image with nothing drawn."""
        self._steps.clear()
        self.now.image = image
        self.now.object = ObjectNow()
        self.now.pending = self.now.asking = False
        self.now.accepted = self.now.submitted = self.now.unsaved = self.now.map_shown = False
        self.now.clicks, self.now.opened_at = 0, time.monotonic()

    def touched(self) -> None:
        """The segments are not what was submitted any more."""
        self.now.unsaved, self.now.submitted = True, False

    def update(self, **changes: Any) -> None:
        """Change the object that is being drawn."""
        self.now.object = replace(self.now.object, **changes)

    def close(self) -> None:
        """End the work and remove the session's files."""
        self.worker.close()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _is_there(self) -> None:
        if self.now.connection is Connection.LOST:
            self.now.connection = Connection.THERE
            self.say("good", "The server is back; go on where you were.")

    def _failed(self, error: Exception, tell: bool) -> None:
        if isinstance(error, Cancelled):
            return
        if not isinstance(error, SamanticError):
            logger.error("A session could not use an answer", exc_info=error)
        if tell:
            self.say("error", str(error) if isinstance(error, SamanticError) else f"Something went wrong here: {error}")
        if isinstance(error, ServerAway) and self.now.connection is Connection.THERE:
            self.now.connection = Connection.LOST
            self._look_for_it()

    def _look_for_it(self) -> None:
        client = self.server

        def look() -> ServerInfo:
            if current_cancellation().wait(ASK_AGAIN_S):
                raise Cancelled("Nobody waits for the server any more.")
            return client.info()

        def found(info: ServerInfo) -> None:
            self.now.info = info

        def not_yet(_: Exception) -> None:
            if self.now.connection is Connection.LOST and client is self.client:
                self._look_for_it()

        self.run("train", look, found, not_yet, tell=False)
