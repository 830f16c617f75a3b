"""/samantic/jobs: work that takes longer than an answer should; started, watched, cancelled, its mask fetched."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import Any

from fastapi import APIRouter, Depends, File, Form, HTTPException, Request, UploadFile
from fastapi.responses import FileResponse, StreamingResponse
from monailabel.config import settings
from monailabel.endpoints.user.auth import RBAC, User

from samantic.app.lib.datastore import printable
from samantic.app.lib.image_source import image_file
from samantic.app.lib.infers.request import owner_of
from samantic.app.lib.jobs import ENDED, KINDS, Jobs, UnknownJobError
from samantic.app.lib.jobs.kinds import MODELS, work_of
from samantic.app.lib.server.json_input import json_object
from samantic.app.lib.server.lookups import known_image, known_model, known_session, running_app, sessions
from samantic.app.lib.server.routes_infer import check_parameters, checked_source
from samantic.app.lib.server.uploads import image_ending, label_ending, taken_in

STREAM_S = 60.0
"""A stream ends after this time, so that nobody keeps a server from stopping; a browser opens the next one itself."""

LOOK_S = 0.1

USER = Depends(RBAC(settings.MONAI_LABEL_AUTH_ROLE_USER))


def jobs_router(jobs: Jobs) -> APIRouter:
    """Return the routes of jobs. Source: ours."""
    router = APIRouter(prefix="/samantic/jobs", tags=["Samantic"])

    @router.post("", include_in_schema=False)
    @router.post("/", summary="Start a job: propagation, automatic or batch")
    def start(
        request: Request,
        kind: str = "",
        model: str = "",
        image: str = "",
        session_id: str = "",
        params: str = Form("{}"),
        file: UploadFile | None = File(None),
        label: UploadFile | None = File(None),
        user: User = USER,
    ) -> Any:
        if kind not in KINDS:
            raise HTTPException(422, f"'kind' is '{printable(kind)}', but it must be one of {', '.join(KINDS)}.")
        model = model or MODELS[kind]
        task = known_model(model)
        parameters = json_object(params, "params")
        check_parameters(parameters, model)
        parameters["client_address"] = request.client.host if request.client else ""
        with ExitStack() as clean_up:
            if kind == "batch":
                _check_batch(user, image or session_id or file or label)
                image = ""
            else:
                image = checked_source(image, session_id, file)
                parameters["image"] = _image_path(image, session_id, file, clean_up)
                if label is not None:
                    parameters["label_file"] = clean_up.enter_context(taken_in(label, label_ending(label)))
            work = work_of(kind, model, task, parameters, running_app(), image)
            # Whoever holds the files keeps them: forgotten, they would be gone before the job has read them.
            files = clean_up.pop_all()
            try:
                job_id = jobs.start(kind, owner_of(parameters), work, image or None, files.close)
            except Exception:
                files.close()
                raise
        return jobs.get(job_id).as_json()

    @router.get("", include_in_schema=False)
    @router.get("/", summary="The jobs of one client")
    def list_jobs(request: Request, client_id: str = "", session: str = "", _: User = USER) -> Any:
        address = request.client.host if request.client else ""
        owner = owner_of({"client_id": client_id, "session": session, "client_address": address})
        return {"jobs": [job.as_json() for job in jobs.of(owner)]}

    @router.get("/{job_id}", summary="What a job is doing, and its result once it is done")
    def get(job_id: str, _: User = USER) -> Any:
        return jobs.get(job_id).as_json()

    @router.get("/{job_id}/events", summary="The same as a stream of server-sent events, one for every change")
    def events(job_id: str, _: User = USER) -> StreamingResponse:
        jobs.get(job_id)
        return StreamingResponse(
            _events(jobs, job_id), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )

    @router.get("/{job_id}/result", summary="The mask of a job that is done")
    def result(job_id: str, _: User = USER) -> FileResponse:
        path = jobs.result_file(job_id)
        return FileResponse(
            path, media_type="application/octet-stream", filename=f"result{''.join(path.suffixes[-2:])}"
        )

    @router.delete("/{job_id}", summary="Cancel a job, and remove it and its result")
    def remove(job_id: str, _: User = USER) -> Any:
        return jobs.remove(job_id).as_json()

    return router


def _check_batch(user: User, source: Any) -> None:
    if source:
        raise HTTPException(422, "A batch takes no single image or label; name images in 'images' among the params.")
    # A batch writes labels for everybody, as POST /batch/infer does, which asks for the same role.
    if settings.MONAI_LABEL_AUTH_ENABLE and settings.MONAI_LABEL_AUTH_ROLE_ADMIN not in user.roles:
        raise HTTPException(403, f"A batch needs the role '{settings.MONAI_LABEL_AUTH_ROLE_ADMIN}'.")


def _image_path(image: str, session_id: str, file: UploadFile | None, clean_up: ExitStack) -> str:
    if session_id:
        return str(sessions().get_session(known_session(session_id)).image)
    if file is not None:
        return clean_up.enter_context(taken_in(file, image_ending(file)))
    path, _ = image_file(known_image(image), running_app().datastore(), running_app().sessions())
    return str(path)


async def _events(jobs: Jobs, job_id: str) -> AsyncIterator[str]:
    until, said = time.monotonic() + STREAM_S, None
    while time.monotonic() < until:
        try:
            job = jobs.get(job_id)
        except UnknownJobError:
            yield "event: removed\ndata: {}\n\n"
            return
        if said != (job.state, job.done, job.total, job.text):
            said = (job.state, job.done, job.total, job.text)
            yield f"data: {json.dumps(job.as_json())}\n\n"
        if job.state in ENDED:
            return
        await asyncio.sleep(LOOK_S)
