"""Where a request's image comes from: the studies, an upload or a session; never any other file of the machine."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from fastapi import HTTPException
from monailabel.interfaces.datastore import Datastore
from monailabel.utils.sessions import Sessions

from samantic.app.lib.datastore import printable

# What the stock server calls a file that came with a request.
_UPLOAD_NAME = re.compile(r"tmp[a-z0-9_]{8}(\.[\w.-]+)?")


def image_file(image: str, datastore: Datastore, sessions: Sessions | None) -> tuple[Path, bool]:
    """Return the file (or series folder) of an image, and whether it is one of the studies.

    image: an image id, or the path of what was uploaded. Raises HTTPException 404 for everything else. Source: ours.
    """
    found = datastore.get_image_uri(image)
    if found:
        return Path(found), True
    path = Path(image)
    if path.is_absolute() and (_is_upload(path) or _is_in_session(path, sessions)) and path.exists():
        return path, False
    raise HTTPException(404, f"There is no image '{printable(image)}'; GET /datastore/?output=all lists them.")


def _is_upload(path: Path) -> bool:
    return path.parent == Path(tempfile.gettempdir()) and bool(_UPLOAD_NAME.fullmatch(path.name))


def _is_in_session(path: Path, sessions: Sessions | None) -> bool:
    return sessions is not None and path.resolve().is_relative_to(Path(sessions.store_path).resolve())
