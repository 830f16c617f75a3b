"""/samantic/…: the vocabulary, and what this server can do."""

from __future__ import annotations

import platform
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, Depends, HTTPException
from monailabel.config import settings
from monailabel.endpoints.user.auth import RBAC, User

from samantic import __version__
from samantic.app.lib.datastore import IMAGE_EXTENSIONS, LABEL_EXTENSIONS, printable
from samantic.app.lib.server.lookups import known_model, running_app
from samantic.app.lib.server.settings import Limits
from samantic.vocabulary import SemanticClass, load_vocabulary

PACKAGES = ("monailabel", "monai", "torch")
FEATURES = (
    "boxes",
    "classes",
    "text",
    "axis",
    "multimask",
    "result",
    "session",
    "priority",
    "concurrent_inference",
    "dicom_series",
    "vocabulary",
    "jobs",
    "leases",
    "versions",
)

USER = Depends(RBAC(settings.MONAI_LABEL_AUTH_ROLE_USER))


def samantic_router(limits: Limits) -> APIRouter:
    """Return the routes that the stock server does not have. Source: ours."""
    router = APIRouter(prefix="/samantic", tags=["Samantic"])

    @router.get("/vocabulary", summary="All classes, or those of one domain, or those that one model knows")
    def vocabulary(domain: str | None = None, model: str | None = None, _: User = USER) -> Any:
        words = load_vocabulary()
        if domain is not None and domain not in words.domains:
            raise HTTPException(404, f"There is no domain '{printable(domain)}'; use {', '.join(words.domains)}.")
        chosen = tuple(words) if domain is None else words.domain(domain)
        if model is not None:
            labels = known_model(model).labels
            chosen = tuple(one for one in chosen if one.name in labels)
        return {"domains": list(words.domains), "classes": [_described(one) for one in chosen]}

    @router.get("/capabilities", summary="Versions, models, limits and features")
    def capabilities(_: User = USER) -> Any:
        return {
            "version": __version__,
            "packages": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
            "models": {name: {"type": task.type, "dimension": task.dimension} for name, task in _models().items()},
            "limits": asdict(limits),
            "image_extensions": list(IMAGE_EXTENSIONS),
            "label_extensions": list(LABEL_EXTENSIONS),
            "features": list(FEATURES),
        }

    return router


def _models() -> dict[str, Any]:
    return {name: task for name, task in running_app()._infers.items() if task.is_valid()}


def _described(one: SemanticClass) -> dict[str, Any]:
    described = asdict(one)
    return {key: value for key, value in described.items() if value is not None}
