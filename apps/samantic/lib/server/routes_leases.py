"""/samantic/leases: who gives back an image that `POST /activelearning/{strategy}` leased."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, HTTPException, Request
from monailabel.config import settings
from monailabel.endpoints.user.auth import RBAC, User
from monailabel.interfaces.app import MONAILabelApp

from samantic.app.lib.server.lookups import known_image, running_app
from samantic.app.lib.strategies.wishes import client_of

USER = Depends(RBAC(settings.MONAI_LABEL_AUTH_ROLE_USER))


def leases_router() -> APIRouter:
    """Return the route that ends a lease. Source: ours."""
    router = APIRouter(prefix="/samantic/leases", tags=["Samantic"])

    @router.delete("/{image}", summary="Give an image back without a label")
    def release(request: Request, image: str, client_id: str = "", session: str = "", _: User = USER) -> Any:
        address = request.client.host if request.client else ""
        client = client_of({"client_id": client_id, "session": session, "client_address": address})
        if not running_app().leases.release(known_image(image), client):
            raise HTTPException(404, f"This client holds no lease of the image '{image}'; it may have ended by itself.")
        return {"image": image}

    return router


def why_nothing(app: MONAILabelApp) -> str:
    """Say in a sentence why no image could be given."""
    store = app.datastore()
    count = len(store.get_unlabeled_images())
    if not store.list_images():
        return "There are no images in the studies."
    if count == 0:
        return "Every image has a label."
    return f"{count} images have no label yet, but each is with somebody else or cannot be read."
