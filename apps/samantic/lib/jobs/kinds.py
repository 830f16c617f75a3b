"""The kinds of jobs: what each asks of its model, as the work of one job."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from fastapi import HTTPException
from monailabel.interfaces.app import MONAILabelApp
from monailabel.interfaces.tasks.infer_v2 import InferTask, InferType

from samantic.app.lib.datastore.drafts import owners_of
from samantic.app.lib.jobs.batch import batch_work
from samantic.app.lib.jobs.job import JobControl
from samantic.app.lib.jobs.jobs import Work

MODELS = {"propagation": "segsam", "automatic": "segsam_auto", "batch": "segsam_auto"}
"""Who works where the request names no model."""

INTERACTIVE = (InferType.DEEPGROW, InferType.DEEPEDIT, InferType.SCRIBBLES, InferType.ANNOTATION)

Answer = Callable[[Mapping[str, Any], JobControl], tuple[str | None, dict[str, Any]]]
"""The parameters of one request, with the image's path -> the path of the mask file and the JSON beside it."""


@runtime_checkable
class CanBeWatched(Protocol):
    """A task that says how far it is, and stops when told to by Cancelled."""

    def answer(
        self,
        params: Mapping[str, Any],
        on_progress: Callable[[int, int], None],
        is_cancelled: Callable[[], bool],
    ) -> tuple[str | None, dict[str, Any]]:
        """Answer like a call."""


def work_of(
    kind: str, model: str, task: InferTask, params: Mapping[str, Any], app: MONAILabelApp, image: str = ""
) -> Work:
    """Return the work of a job: `params` as those of `POST /infer/<model>`, with the image's path but for a batch.

    image: its id, "" for one that is not of the studies; what a person was shown of it is noted as for a click.

    Raises HTTPException 422 where the model is not for such jobs, RequestError for a batch of other parameters.
    """
    if (kind == "propagation") != (task.type in INTERACTIVE):
        raise HTTPException(422, f"The model '{model}' is not for jobs of the kind '{kind}'; use '{MODELS[kind]}'.")
    if kind == "batch":
        return batch_work(app, model, _automatic(task), params)
    answer = _propagated(task) if kind == "propagation" else _automatic(task)

    def work(control: JobControl) -> dict[str, Any]:
        path, result = answer(params, control)
        drafts = getattr(app, "drafts", None)
        if image and drafts is not None:
            drafts.note(owners_of(params), image, model, params, result, None if path is None else Path(path))
        return {**result, "file": path}

    return work


def _propagated(task: InferTask) -> Answer:
    from samantic.app.lib.infers.propagating import propagate_request

    def answer(params: Mapping[str, Any], control: JobControl) -> tuple[str | None, dict[str, Any]]:
        wanted = {"propagate": "both", **params}
        return propagate_request(task, wanted, control.progress, control.is_cancelled)

    return answer


def _automatic(task: InferTask) -> Answer:
    def answer(params: Mapping[str, Any], control: JobControl) -> tuple[str | None, dict[str, Any]]:
        if isinstance(task, CanBeWatched):
            return task.answer(params, control.progress, control.is_cancelled)
        return task(dict(params))  # other models answer a whole image at once

    return answer
