"""What a request names, looked up in the running app; an unknown one is a 404 that says which there are."""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import HTTPException
from monailabel.interfaces.app import MONAILabelApp
from monailabel.interfaces.tasks.infer_v2 import InferTask
from monailabel.interfaces.utils.app import app_instance
from monailabel.utils.sessions import Sessions

from samantic.app.lib.datastore import checked_name, printable


def running_app() -> MONAILabelApp:
    """Return the app that this server runs."""
    return app_instance()


def known_model(name: str) -> InferTask:
    """Return the inference task called `name`. Raises HTTPException 404."""
    tasks = running_app()._infers
    return tasks[known(name, tasks, "model")]


def known_image(image_id: str) -> str:
    """Return `image_id` if the studies hold that image. Raises NameRefusedError and HTTPException 404."""
    if checked_name(image_id, "image id") not in running_app().datastore().list_images():
        raise HTTPException(404, f"There is no image '{printable(image_id)}'; GET /datastore/?output=all lists them.")
    return image_id


def known_label(image_id: str, tag: str) -> str:
    """Return `tag` if the image has such a label. Raises NameRefusedError and HTTPException 404."""
    tags = running_app().datastore().get_labels_by_image_id(known_image(image_id))
    if checked_name(tag, "label tag") not in tags:
        has = f"it has {', '.join(sorted(tags))}" if tags else "it has none"
        raise HTTPException(404, f"The image '{image_id}' has no label '{printable(tag)}'; {has}.")
    return tag


def known_session(session_id: str) -> str:
    """Return `session_id` if there is such a session. Raises NameRefusedError and HTTPException 404."""
    if sessions().get_session(checked_name(session_id, "session id"), update_ts=False) is None:
        raise HTTPException(404, f"There is no session '{printable(session_id)}'; it may have expired, open a new one.")
    return session_id


def sessions() -> Sessions:
    """Return the upload sessions. Raises HTTPException 406, as the stock server does, if they are switched off."""
    found = running_app().sessions()
    if found is None:
        raise HTTPException(406, "Sessions are switched off on this server; MONAI_LABEL_SESSIONS switches them on.")
    return found


def known(name: str, there: Iterable[str], what: str) -> str:
    """Return `name` if it is among `there`. Raises HTTPException 404 that lists them."""
    names = sorted(there)
    if name not in names:
        has = f"there is {', '.join(names)}" if names else "this server has none"
        raise HTTPException(404, f"There is no {what} '{printable(name)}'; {has}.")
    return name
