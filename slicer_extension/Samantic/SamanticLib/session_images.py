"""Servers and images: connecting, opening, the next one, and saving what was drawn."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from SamanticLib.answers import ClassEntry, ImageEntry, NextSample, ServerInfo
from SamanticLib.session_core import Now, SessionCore
from SamanticLib.session_state import Connection, Progress

NOT_SAVED = "The labels of '{image}' are not submitted. Submit them, or discard them."


class Images:
    """From a server to an open image, and back with its labels. Source: ours."""

    def __init__(self, core: SessionCore) -> None:
        self._core = core

    def connect(self, url: str) -> None:
        """Look at a server: what it is, which images it has, which classes it knows. The open image stays."""
        core = self._core
        core.worker.cancel("train")
        client = core.connect(url)
        core.now.connection, core.now.url = Connection.CONNECTING, url
        core.quiet()

        def look() -> tuple[ServerInfo, tuple[ClassEntry, ...], tuple[ImageEntry, ...]]:
            return client.info(), tuple(client.vocabulary()), tuple(client.images())

        def found(answer: tuple[ServerInfo, tuple[ClassEntry, ...], tuple[ImageEntry, ...]]) -> None:
            core.now.info, core.now.vocabulary, core.now.images = answer
            core.now.connection = Connection.THERE

        def missed(_: Exception) -> None:
            core.now.connection = Connection.LOST if core.now.info is not None else Connection.NONE

        core.run("job", look, found, missed)

    def open(self, image_id: str, discard: bool = False, reason: str = "") -> None:
        """Fetch an image and show it; refused while labels of the open one are not submitted, unless discarded."""
        core, now = self._core, self._core.now
        if self._is_unsaved(discard):
            return
        client, folder = core.server, core.folder
        now.progress = Progress(f"Opening {image_id}")
        core.quiet()

        def fetched(path: Path) -> None:
            now.progress = None
            core.begin_image(core.scene.load_image(path, image_id))
            now.reason = reason

        def failed(_: Exception) -> None:
            now.progress = None

        core.run("job", lambda: client.download_image(image_id, folder), fetched, failed)

    def next(self, strategy: str, discard: bool = False, **params: Any) -> None:
        """Open the image that the server chooses for this person."""
        core, now = self._core, self._core.now
        if self._is_unsaved(discard):
            return
        client = core.server
        now.progress = Progress("Choosing the next image")
        core.quiet()

        def chosen(sample: NextSample) -> None:
            now.progress = None
            if sample.image_id is None:
                core.say("info", sample.reason or "Every image has a label.")
            else:
                self.open(sample.image_id, discard=True, reason=sample.reason)

        def failed(_: Exception) -> None:
            now.progress = None

        core.run("job", lambda: client.next_sample(strategy, **params), chosen, failed)

    def submit(self, software: str) -> None:
        """Send all segments as the final label of the image, with how they were made."""
        core, now = self._core, self._core.now
        image = now.image
        if image is None or all(segment.is_empty for segment in core.scene.segments()):
            core.say("error", "There is nothing to submit yet; outline something first.")
            return
        client, path = core.server, core.folder / f"submission{'.png' if image.is_flat else '.nrrd'}"
        names = core.scene.write_labels(path)
        words = [segment.name for segment in core.scene.segments() if segment.class_name in names]
        provenance = _provenance(now, software)
        now.progress = Progress("Saving the labels")
        core.quiet()

        def send() -> tuple[ImageEntry, ...]:
            client.submit_label(image.image_id, path, names, provenance)
            return tuple(client.images())

        def saved(images: tuple[ImageEntry, ...]) -> None:
            now.progress, now.images = None, images
            if now.image is image:
                now.submitted, now.unsaved = True, False
            core.say("good", f"Saved: {', '.join(words)} of {image.image_id}.")

        def failed(_: Exception) -> None:
            now.progress = None

        core.run("job", send, saved, failed)

    def _is_unsaved(self, discard: bool) -> bool:
        now = self._core.now
        if now.progress is not None:
            self._core.say("error", f"{now.progress.text}; wait for it, or cancel it.")
            return True
        if now.image is None or not now.unsaved or discard:
            return False
        self._core.say("error", NOT_SAVED.format(image=now.image.image_id))
        return True


def _provenance(now: Now, software: str) -> dict[str, Any]:
    return {"software": software, "seconds": round(time.monotonic() - now.opened_at, 1), "marks": now.clicks}
