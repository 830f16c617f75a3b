"""/samantic/models: which versions of a model training has published, which is served, and going back to another."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import APIRouter, Depends, HTTPException
from monailabel.config import settings
from monailabel.endpoints.user.auth import RBAC, User
from monailabel.utils.async_tasks.utils import tasks

from samantic.app.lib.datastore import printable
from samantic.app.lib.server.lookups import running_app
from samantic.app.lib.trainers.refusing import KeepsVersions
from samantic.training.model_store import BUNDLED, ModelStore, PublishedModel, StoreBusyError

USER = Depends(RBAC(settings.MONAI_LABEL_AUTH_ROLE_USER))
ADMIN = Depends(RBAC(settings.MONAI_LABEL_AUTH_ROLE_ADMIN))

logger = logging.getLogger(__name__)


def versions_router() -> APIRouter:
    """Return the routes of versions. Source: ours."""
    router = APIRouter(prefix="/samantic/models", tags=["Samantic"])

    @router.get("/{model}/versions", summary="The versions that training has published, and which of them is served")
    def versions(model: str, _: User = USER) -> Any:
        store = _store_of(model)
        return {"model": model, "served": _served(store), "versions": [_described(one) for one in store.history()]}

    @router.post("/{model}/rollback", summary="Serve another version from the next request on")
    def roll_back(model: str, version: str | None = None, user: User = ADMIN) -> Any:
        store = _store_of(model)
        _check_not_training(model)
        if version is None:
            version = store.before()
        store.rollback(None if version == BUNDLED else version)
        logger.info("%s has %s serve version %s", user.username, model, version)
        # Not the list: another version that is damaged would make it look as if this had failed.
        return {"model": model, "served": _served(store)}

    return router


def _store_of(model: str) -> ModelStore:
    trainers = {name: task.store for name, task in running_app()._trainers.items() if isinstance(task, KeepsVersions)}
    if model not in trainers:
        there = f"there are versions of {', '.join(sorted(trainers))}" if trainers else "no model here has any"
        raise HTTPException(404, f"There are no versions of a model '{printable(model)}'; {there}.")
    return trainers[model]


def _check_not_training(model: str) -> None:
    # A training locks the store only once its process has begun, seconds after it was asked for.
    under_way = [one for one in tasks("train") if one["status"] in ("SUBMITTED", "RUNNING")]
    if any(one["request"].get("model") == model for one in under_way):
        raise StoreBusyError(
            f"A training is running already for {model}; wait until it is done, or stop it with DELETE /train/."
        )


def _served(store: ModelStore) -> str:
    current = store.current()
    return BUNDLED if current is None else current.version


def _described(version: PublishedModel) -> dict[str, Any]:
    notes = version.notes
    scores = notes.get("validation") or {}
    before, after = (scores.get(when) or {} for when in ("before", "after"))
    return {
        "version": version.version,
        "published_at": notes.get("published_at"),
        "parent": notes.get("parent"),
        "sha256": notes.get("sha256"),
        "learned_from": len(notes.get("learned_from") or ()),
        "held_out": len(notes.get("held_out") or ()),
        "classes": list(notes.get("classes") or ()),
        "new_classes": list(notes.get("new_classes") or ()),
        "dice_before": before.get("mean_dice"),
        "dice_after": after.get("mean_dice"),
        "per_class": dict(after.get("dice") or {}),
    }
