"""An object followed through the volume: a job of the server, watched, and cancelled within a second."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from SamanticLib.answers import JobState, SegmentAnswer
from SamanticLib.cancellation import current_cancellation, shielded
from SamanticLib.errors import Cancelled, SamanticError, ServerAway, ServerSlow
from SamanticLib.session_asking import Asking
from SamanticLib.session_core import ObjectNow, SessionCore
from SamanticLib.session_files import write_crop
from SamanticLib.session_state import Progress

LOOK_S = 0.15
"""How often a job is asked how far it is."""

LONGEST_SILENCE = 20
"""Looks at a job that a server may leave unanswered, 2 s apart, before the job is given up."""


class Following:
    """Propagation as a job. Source: ours."""

    def __init__(self, core: SessionCore, asking: Asking) -> None:
        self._core = core
        self._asking = asking

    def follow(self, direction: str = "both") -> None:
        """Follow what is drawn through the slices: "both", "up" or "down"."""
        core, now = self._core, self._core.now
        image, started = now.image, now.object
        axis = started.prompts.axis if started.prompts.axis is not None else 2
        crop = self._asking.crop_of_planes(axis)
        if image is None or started.chosen is None or crop is None or now.progress is not None:
            core.say("error", "Outline the object on one slice first; then it can be followed.")
            return
        params = {"propagate": direction, "axis": axis, "slice": started.prompts.slice}
        client = core.server
        now.progress = Progress(f"Following the {started.chosen.label} through the slices", can_cancel=True)
        now.job_wanted, now.job_id = True, ""
        core.quiet()

        def start() -> JobState:
            with write_crop(core.folder, crop, image) as path:
                return client.start_job("propagation", image.image_id, params, path)

        core.run("job", start, lambda job: self._watch(job, started, 0), self._end)

    def cancel(self) -> None:
        """Give up the job; nothing of it is drawn."""
        core, now = self._core, self._core.now
        if now.progress is None or not now.job_wanted:
            return
        now.job_wanted, now.progress = False, None
        core.say("info", "Cancelled; your segments are as they were.")
        if now.job_id:
            self._cancel_on_server(now.job_id)

    def _watch(self, job: JobState, started: ObjectNow, silent: int) -> None:
        core, now = self._core, self._core.now
        now.job_id = job.id
        if not now.job_wanted:
            self._cancel_on_server(job.id)
            return
        if job.ended:
            self._ended(job, started)
            return
        if now.progress is not None:
            now.progress = replace(now.progress, done=job.done, total=job.total, seconds=job.seconds)
        client, wait_s = core.server, LOOK_S if not silent else 2.0

        def look() -> JobState:
            if current_cancellation().wait(wait_s):
                raise Cancelled("The job was cancelled.")
            return client.job(job.id)

        def unanswered(error: Exception) -> None:
            if isinstance(error, (ServerAway, ServerSlow)) and silent < LONGEST_SILENCE and now.job_wanted:
                self._watch(job, started, silent + 1)
            else:
                self._end(error)

        core.run("job", look, lambda state: self._watch(state, started, 0), unanswered)

    def _ended(self, job: JobState, started: ObjectNow) -> None:
        core = self._core
        if job.state != "done":
            self._end(SamanticError(""))
            core.say("error", job.detail or "The server gave the job up; start it again.")
            return
        core.run("job", lambda: core.server.job_answer(job.id), lambda answer: self._draw(answer, started), self._end)

    def _draw(self, answer: SegmentAnswer, started: ObjectNow) -> None:
        now = self._core.now
        wanted = now.job_wanted
        self._end(None)
        if not wanted or now.object.chosen is not started.chosen or now.object.layer is None:
            return
        after = replace(now.object, answer=answer, readings=(), reading=-1, start_masks=(), planes=())
        self._asking.draw_answer(now.object, after, answer, None)

    def _end(self, _: Any) -> None:
        now = self._core.now
        now.progress, now.job_wanted, now.job_id = None, False, ""

    def _cancel_on_server(self, job_id: str) -> None:
        core = self._core
        client = core.server
        core.now.job_id = ""

        def cancel() -> None:
            with shielded():
                client.cancel_job(job_id)

        # What is under way in the lane is a look at this job, which nobody wants any more.
        core.worker.cancel("job")
        core.run("job", cancel, lambda _: None, tell=False)
