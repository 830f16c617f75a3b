"""POST /infer/…: checked, in threads, in turn; then MONAI Label's own function."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Any

from fastapi import APIRouter, BackgroundTasks, Depends, File, Form, HTTPException, Request, Response, UploadFile
from monailabel.config import settings
from monailabel.endpoints import infer as stock
from monailabel.endpoints.user.auth import RBAC, User

from samantic.app.lib.datastore import checked_name, printable
from samantic.app.lib.server.inference_queue import InferenceQueue
from samantic.app.lib.server.json_input import json_object
from samantic.app.lib.server.lookups import known_image, known_model, known_session
from samantic.app.lib.server.uploads import image_ending, label_ending, removed_on_error, taken_in

# What the server itself puts among the parameters; a client that sends one of them would choose a file by its path.
OWN_PARAMETERS = ("image", "image_path", "label_file", "client_address")

PRIORITIES = ("click", "background")


def infer_router(queue: InferenceQueue) -> APIRouter:
    """Return the routes of inference. Source: ours, after MONAI Label 0.8.5's endpoints/infer.py."""
    router = APIRouter(prefix="/infer", tags=["Infer"])

    @router.post("/{model}", summary="Run inference")
    def infer(
        request: Request,
        background_tasks: BackgroundTasks,
        model: str,
        image: str = "",
        session_id: str = "",
        params: str = Form("{}"),
        file: UploadFile | None = File(None),
        label: UploadFile | None = File(None),
        output: stock.ResultType | None = None,
        _: User = Depends(RBAC(settings.MONAI_LABEL_AUTH_ROLE_USER)),
    ) -> Any:
        known_model(model)
        image = checked_source(image, session_id, file)
        parameters = json_object(params, "params")
        background = check_parameters(parameters, model)
        if output == stock.ResultType.dicom_seg:
            raise HTTPException(422, "The output 'dicom_seg' needs a DICOMweb server; use image, json or all.")
        parameters["client_address"] = request.client.host if request.client else ""
        with queue.turn(background), ExitStack() as clean_up:
            if label is not None:
                parameters["label_file"] = clean_up.enter_context(taken_in(label, label_ending(label)))
            tasks = clean_up.enter_context(removed_on_error())
            answer = stock.run_inference(
                tasks, model, image, session_id, json.dumps(parameters), file and _renamed(file), None, output
            )
        background_tasks.tasks.extend(tasks.tasks)
        return answer

    @router.post("/wsi/{model}", include_in_schema=False)
    @router.post("/wsi_v2/{model}", include_in_schema=False)
    def infer_on_slide(model: str, _: User = Depends(RBAC(settings.MONAI_LABEL_AUTH_ROLE_USER))) -> Response:
        known_model(model)
        raise HTTPException(422, f"The model '{model}' does not work on whole slides; use POST /infer/{model}.")

    return router


def checked_source(image: str, session_id: str, file: UploadFile | None) -> str:
    """Return the id of the image that a request names, "" where a session or a file gives the image.

    Raises HTTPException 404 and 422, and NameRefusedError.
    """
    # With a session or a file the image's id is only what the client calls it, and may be anything.
    if session_id:
        known_session(session_id)
        return ""
    if file is not None:
        image_ending(file)
        return ""
    if not image:
        raise HTTPException(422, "No image was given: name one by 'image' or 'session_id', or send one as 'file'.")
    return known_image(image)


def check_parameters(parameters: dict[str, Any], model: str) -> bool:
    """Take `priority` out of the parameters and return whether it is background work; HTTPException 422 otherwise."""
    for key in OWN_PARAMETERS:
        if key in parameters:
            raise HTTPException(422, f"'{key}' cannot be among the params; an image is named by its id in the address.")
    if parameters.get("model", model) != model:
        raise HTTPException(422, f"'model' among the params is not '{model}'; the address says which model it is.")
    if "label_tag" in parameters:
        checked_name(str(parameters["label_tag"]), "label tag")
    priority = parameters.pop("priority", "click")
    if priority not in PRIORITIES:
        raise HTTPException(
            422, f"'priority' is '{printable(str(priority))}', but it must be {' or '.join(PRIORITIES)}."
        )
    return bool(priority == "background")


def _renamed(upload: UploadFile) -> UploadFile:
    # The stock function takes everything after the first dot for the extension: "scan 1.2 of 3.nii.gz".
    return UploadFile(upload.file, filename=f"image{image_ending(upload)}")
