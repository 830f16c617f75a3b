"""/datastore/…: images and labels, checked before they enter, in threads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import APIRouter, BackgroundTasks, Depends, File, Form, HTTPException, Query, Request, UploadFile
from fastapi.responses import FileResponse
from monailabel.config import settings
from monailabel.endpoints import datastore as stock
from monailabel.endpoints.user.auth import RBAC, User
from monailabel.interfaces.datastore import DefaultLabelTag
from monailabel.utils.others.generic import file_checksum, remove_file

from samantic.app.lib.datastore import checked_name, derived_id, printable
from samantic.app.lib.datastore.provenance import KEY
from samantic.app.lib.server.client_provenance import client_provenance
from samantic.app.lib.server.json_input import json_object
from samantic.app.lib.server.label_check import LabelCheck
from samantic.app.lib.server.lookups import known_image, known_label, running_app
from samantic.app.lib.server.recording import recorded
from samantic.app.lib.server.uploads import base_name, check_is_image, image_ending, label_ending, received

CHECKSUMS = ("SHA256", "SHA512", "MD5")

USER = Depends(RBAC(settings.MONAI_LABEL_AUTH_ROLE_USER))
ANNOTATOR = Depends(RBAC(settings.MONAI_LABEL_AUTH_ROLE_ANNOTATOR))
ADMIN = Depends(RBAC(settings.MONAI_LABEL_AUTH_ROLE_ADMIN))


def datastore_router() -> APIRouter:
    """Return the routes of the datastore. Source: ours, after MONAI Label 0.8.5's endpoints/datastore.py."""
    router = APIRouter(prefix="/datastore", tags=["Datastore"])
    _add_image_routes(router)
    _add_label_routes(router, LabelCheck())
    _add_dataset_route(router)
    return router


def _add_image_routes(router: APIRouter) -> None:
    @router.put("/", include_in_schema=False, deprecated=True)
    @router.put("/image", summary="Upload an image")
    def add_image(
        image: str | None = None, params: str = Form("{}"), file: UploadFile = File(...), user: User = ANNOTATOR
    ) -> Any:
        if image:
            checked_name(image, "image id")
        info = {**json_object(params, "params"), "user": user.username}
        ending = image_ending(file)
        with received(file, f"{image or derived_id(base_name(file), taken=())}{ending}") as path:
            check_is_image(path, base_name(file))
            return {"image": running_app().datastore().add_image(image or "", str(path), info)}

    @router.delete("/", include_in_schema=False, deprecated=True)
    @router.delete("/image", summary="Remove an image and its labels")
    def remove_image(id: str, user: User = ADMIN) -> Any:
        return stock.remove_image(known_image(id), user.username)

    @router.head("/image", summary="Is the image there?")
    def check_image(image: str, check_sum: str | None = None, _: User = USER) -> Any:
        answer = stock.download_image(known_image(image), check_only=True)
        if check_sum:
            _compare(Path(running_app().datastore().get_image_uri(image)), check_sum)
        return answer

    @router.get("/image", summary="Download an image")
    def download_image(image: str, _: User = USER) -> Any:
        return stock.download_image(known_image(image))

    @router.get("/image/info", summary="What is noted about an image")
    def image_info(image: str, _: User = USER) -> Any:
        return stock.get_image_info(known_image(image))

    @router.put("/image/info", summary="Note more about an image")
    def update_image_info(image: str, info: str = Form("{}"), user: User = ANNOTATOR) -> Any:
        _check_strategy_notes(json_object(info, "info"))
        return stock.update_image_info(known_image(image), info, user.username)


def _add_label_routes(router: APIRouter, check: LabelCheck) -> None:
    @router.put("/label", summary="Save a label")
    def save_label(
        request: Request,
        image: str,
        params: str = Form("{}"),
        tag: str = DefaultLabelTag.FINAL.value,
        label: UploadFile = File(...),
        user: User = ANNOTATOR,
    ) -> Any:
        known_image(image)
        tag = checked_name(tag or DefaultLabelTag.FINAL.value, "label tag")
        info = json_object(params, "params")
        address = request.client.host if request.client else ""
        client = client_provenance(info)
        with received(label, f"label{label_ending(label)}") as path:
            labels = check.read(path, base_name(label), image)
            info |= {KEY: recorded(check, image, labels, info, user.username, address, client)}
            label_id = running_app().datastore().save_label(image, str(path), tag, info)
        result = running_app().on_save_label(image, label_id) or {}
        return {**result, "image": image, "label": label_id}

    @router.delete("/label", summary="Remove a label")
    def remove_label(id: str, tag: str, user: User = ADMIN) -> Any:
        return stock.remove_label(id, known_label(id, tag), user.username)

    @router.head("/label", summary="Is the label there?")
    def check_label(image: str, tag: str, _: User = USER) -> Any:
        return stock.download_label(image, known_label(image, tag), check_only=True)

    @router.get("/label", summary="Download a label")
    def download_label(label: str, tag: str, _: User = USER) -> Any:
        return stock.download_label(label, known_label(label, tag))

    @router.get("/label/info", summary="What is noted about a label")
    def label_info(label: str, tag: str, _: User = USER) -> Any:
        return stock.get_label_info(label, known_label(label, tag))

    @router.put("/label/info", summary="Note more about a label")
    def update_label_info(label: str, tag: str, info: str = Form("{}"), user: User = ANNOTATOR) -> Any:
        json_object(info, "info")
        return stock.update_label_info(label, known_label(label, tag), info or "{}", user.username)

    @router.put("/updatelabelinfo", include_in_schema=False, deprecated=True)
    def update_label_info_by_params(label: str, tag: str, params: str = Form("{}"), user: User = ANNOTATOR) -> Any:
        return update_label_info(label, tag, params, user)


def _add_dataset_route(router: APIRouter) -> None:
    @router.get("/dataset", summary="Download all labelled images as a ZIP archive")
    def download_dataset(
        background_tasks: BackgroundTasks,
        limit_cases: int | None = Query(None, ge=1, le=1_000_000),
        _: User = ANNOTATOR,
    ) -> FileResponse:
        if not running_app().datastore().get_labeled_images():
            raise HTTPException(404, "There is nothing to download yet: no image has a final label.")
        answer = stock.download_dataset(limit_cases)
        # The stock server leaves the archive in the temporary folder for ever.
        background_tasks.add_task(remove_file, answer.path)
        return answer


def _compare(path: Path, check_sum: str) -> None:
    algorithm, _, digest = check_sum.rpartition(":")
    algorithm = algorithm or CHECKSUMS[0]
    if algorithm not in CHECKSUMS:
        raise HTTPException(422, f"The checksum '{printable(algorithm)}' is not known; use {', '.join(CHECKSUMS)}.")
    if file_checksum(path, algo=algorithm) != f"{algorithm}:{digest.lower()}":
        raise HTTPException(404, "The image is there, but its checksum is another one.")


def _check_strategy_notes(info: dict[str, Any]) -> None:
    # The stock strategies read these notes of every image; one of another shape would stop them for everybody.
    notes = info.get("strategy", {})
    if not isinstance(notes, dict) or not all(
        isinstance(note, dict) and isinstance(note.get("ts", 0), int | float) and not isinstance(note.get("ts"), bool)
        for note in notes.values()
    ):
        raise HTTPException(422, '\'strategy\' in the info must be like {"random": {"ts": 1700000000}}.')
