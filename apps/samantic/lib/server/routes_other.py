"""Model files, logs, the OHIF page, the DICOM proxy, reload: the stock functions behind checks."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from fastapi import APIRouter, BackgroundTasks, Depends, HTTPException, Query, UploadFile
from fastapi.responses import PlainTextResponse
from monailabel.config import settings
from monailabel.endpoints import logs, model, ohif
from monailabel.endpoints.user.auth import RBAC, User

from samantic.app.lib.datastore import printable
from samantic.app.lib.server.lookups import known_model, running_app
from samantic.app.lib.server.uploads import removed_on_error

USER = Depends(RBAC(settings.MONAI_LABEL_AUTH_ROLE_USER))
ANNOTATOR = Depends(RBAC(settings.MONAI_LABEL_AUTH_ROLE_ANNOTATOR))
ADMIN = Depends(RBAC(settings.MONAI_LABEL_AUTH_ROLE_ADMIN))

MAX_LOG_LINES = 100_000


def other_router() -> APIRouter:
    """Return the remaining routes. Source: ours, after MONAI Label 0.8.5's endpoints of the same paths."""
    router = APIRouter()
    _add_model_routes(router)

    @router.get("/logs/", tags=["Others"], summary="The end of the log")
    def get_logs(
        lines: int = Query(300, ge=1, le=MAX_LOG_LINES),
        html: bool = True,
        text: bool = False,
        refresh: int = Query(0, ge=0, le=3600),
        _: User = ADMIN,
    ) -> Any:
        return logs.get_logs(str(Path(settings.MONAI_LABEL_APP_DIR) / "logs" / "app.log"), lines, html, text, refresh)

    @router.get("/logs/gpu", tags=["Others"], summary="What nvidia-smi says")
    def gpu_info(_: User = ADMIN) -> PlainTextResponse:
        if shutil.which("nvidia-smi") is None:
            raise HTTPException(404, "This machine has no nvidia-smi, so nothing is known about a GPU.")
        return PlainTextResponse(subprocess.run(["nvidia-smi"], capture_output=True, text=True, check=False).stdout)

    @router.get("/ohif/{path:path}", include_in_schema=False)
    def get_ohif(path: str, _: User = USER) -> Any:
        if not path.isprintable() or ".." in path or len(path) > 200:
            raise HTTPException(404, f"There is no page '{printable(path)}'.")
        return ohif.get_ohif(path)

    @router.post("/reload", include_in_schema=False)
    def reload(_: User = ADMIN) -> Any:
        # A second app beside the running one would mean two datastores on one folder; the folder is what changes.
        running_app().datastore().refresh()
        return {}

    return router


def no_proxy_router() -> APIRouter:
    """Return the proxy's routes for a server without a DICOMweb server behind it. Source: ours."""
    router = APIRouter()

    @router.api_route("/proxy/dicom/{path:path}", methods=["GET", "POST"], include_in_schema=False)
    def no_proxy(path: str, _: User = USER) -> None:
        raise HTTPException(404, f"There is no DICOMweb server behind this one, so nothing at '{printable(path)}'.")

    return router


def _add_model_routes(router: APIRouter) -> None:
    @router.get("/model/{name}", tags=["Model"], summary="Download a model's file")
    def download(name: str, _: User = ADMIN) -> Any:
        _check_has_file(name)
        return model.download_model(name)

    @router.get("/model/info/{name}", tags=["Model"], summary="Checksum of a model's file")
    def info(name: str, _: User = ADMIN) -> Any:
        _check_has_file(name)
        return model.model_info(name)

    @router.put("/model/{name}", tags=["Model"], summary="Replace a model's file")
    def update(background_tasks: BackgroundTasks, name: str, file: UploadFile, _: User = ANNOTATOR) -> Any:
        _check_has_file(name)
        with removed_on_error() as tasks:
            answer = model.update_model(tasks, name, file)
        background_tasks.tasks.extend(tasks.tasks)
        return answer

    @router.delete("/model/{name}", tags=["Model"], summary="Set a model's file aside")
    def delete(name: str, _: User = ADMIN) -> Any:
        _check_has_file(name)
        return model.delete_model(name)


def _check_has_file(name: str) -> None:
    if known_model(name).get_path(validate=False) is None:
        raise HTTPException(404, f"The model '{name}' has no file of its own here; its weights come with Samantic.")
