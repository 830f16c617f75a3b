"""/session/…: images that are uploaded for a while, outside the studies folder."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

from fastapi import APIRouter, Depends, File, HTTPException, UploadFile
from monailabel.config import settings
from monailabel.endpoints import session as stock
from monailabel.endpoints.user.auth import RBAC, User

from samantic.app.lib.datastore import NameRefusedError, image_extension, printable
from samantic.app.lib.server.lookups import known_session, sessions
from samantic.app.lib.server.settings import Limits
from samantic.app.lib.server.uploads import base_name, check_is_image

MAX_FILES = 20_000

USER = Depends(RBAC(settings.MONAI_LABEL_AUTH_ROLE_USER))


def session_router(limits: Limits) -> APIRouter:
    """Return the routes of upload sessions. Source: ours, after MONAI Label 0.8.5's endpoints/session.py."""
    router = APIRouter(prefix="/session", tags=["Session"])

    @router.get("/{session_id}", summary="What is known about a session, or its image")
    def get_session(session_id: str, update_ts: bool = False, image: bool = False, _: User = USER) -> Any:
        found = sessions().get_session(known_session(session_id), update_ts=False)
        if image and Path(found.image).is_dir():
            raise HTTPException(409, "The session holds a folder; only a single file can be downloaded.")
        return stock.get_session(session_id, update_ts, image)

    @router.put("/", summary="Open a session with an image: one file, the files of a DICOM series, or a zip of either")
    def create_session(
        uncompress: bool = False, expiry: int = 0, files: list[UploadFile] = File(...), _: User = USER
    ) -> Any:
        store = sessions()
        with tempfile.TemporaryDirectory(prefix="samantic-upload-") as folder:
            image = _taken_in(files, Path(folder), uncompress, limits.upload_bytes)
            check_is_image(image, image.name if image.is_file() else "the upload")
            session_id, session = store.add_session(str(image), expiry)
        return {"session_id": session_id, "session_info": session.to_json()}

    @router.delete("/{session_id}", summary="Close a session")
    def remove_session(session_id: str, _: User = USER) -> Any:
        return stock.remove_session(known_session(session_id))

    return router


def _taken_in(files: list[UploadFile], folder: Path, uncompress: bool, limit_bytes: int) -> Path:
    target = folder / "series"
    target.mkdir()
    if uncompress:
        if len(files) != 1:
            raise HTTPException(422, f"With 'uncompress' one zip archive is expected, not {len(files)} files.")
        _unpack(files[0], target, limit_bytes)
    else:
        for upload in files:
            with (target / _checked(base_name(upload), target)).open("wb") as file:
                shutil.copyfileobj(upload.file, file, 1 << 20)
    found = list(target.iterdir())
    if not found:
        raise HTTPException(422, "The upload holds no files.")
    return found[0] if len(found) == 1 and image_extension(found[0].name) else target


def _unpack(upload: UploadFile, target: Path, limit_bytes: int) -> None:
    # Only the files themselves count, so that no entry can lead out of the folder.
    try:
        with zipfile.ZipFile(upload.file) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(entries) > MAX_FILES or sum(entry.file_size for entry in entries) > limit_bytes:
                raise HTTPException(413, f"The archive unpacks to more than {MAX_FILES} files or {limit_bytes} bytes.")
            for entry in entries:
                name = _checked(PurePosixPath(entry.filename).name, target)
                with archive.open(entry) as source, (target / name).open("wb") as file:
                    shutil.copyfileobj(source, file, 1 << 20)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise HTTPException(
            422, f"The upload '{printable(base_name(upload))}' is not a whole zip archive: {error}."
        ) from error


def _checked(name: str, target: Path) -> str:
    if not name or name.startswith(".") or not name.isprintable() or len(name.encode(errors="replace")) > 200:
        raise NameRefusedError(f"The file name '{printable(name)}' is not allowed; give it a plain name.")
    if (target / name).exists():
        raise NameRefusedError(f"Two uploaded files are called '{printable(name)}'; give them different names.")
    return name
