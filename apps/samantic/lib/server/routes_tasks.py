"""Next image, training, scoring and batch inference: what is asked for must exist before a task is started."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, HTTPException, Request
from monailabel.config import settings
from monailabel.endpoints import activelearning, batch_infer, scoring, train
from monailabel.endpoints.user.auth import RBAC, User
from monailabel.interfaces.tasks.batch_infer import BatchInferImageType
from monailabel.utils.async_tasks.utils import tasks

from samantic.app.lib.datastore import checked_name, printable
from samantic.app.lib.jobs.kinds import INTERACTIVE
from samantic.app.lib.server.json_input import body_object
from samantic.app.lib.server.lookups import known, known_model, running_app
from samantic.app.lib.server.routes_leases import why_nothing
from samantic.app.lib.trainers.refusing import RefusesEarly

USER = Depends(RBAC(settings.MONAI_LABEL_AUTH_ROLE_USER))
ANNOTATOR = Depends(RBAC(settings.MONAI_LABEL_AUTH_ROLE_ANNOTATOR))
ADMIN = Depends(RBAC(settings.MONAI_LABEL_AUTH_ROLE_ADMIN))


def task_router() -> APIRouter:
    """Return the routes that start tasks. Source: ours, after MONAI Label 0.8.5's endpoints of the same paths."""
    router = APIRouter()

    @router.post("/activelearning/{strategy}", tags=["ActiveLearning"], summary="Choose the next image")
    def next_sample(
        request: Request, strategy: str, params: dict[str, Any] = Depends(body_object), user: User = USER
    ) -> Any:
        known(strategy, running_app()._strategies, "strategy")
        _same(params, "strategy", strategy)
        params["client_address"] = request.client.host if request.client else ""
        # Without an `id` stock clients say that there is no image left; ours can say why.
        return activelearning.sample(strategy, params, user.username) or {"reason": why_nothing(running_app())}

    @router.post("/train/{model}", tags=["Train"], summary="Train a model")
    def train_model(
        model: str,
        params: dict[str, Any] = Depends(body_object),
        run_sync: bool = False,
        enqueue: bool = False,
        _: User = ADMIN,
    ) -> Any:
        app = running_app()
        task = app._trainers[known(model, app._trainers, "model that can be trained here")]
        _same(params, "model", model)
        # A training that waits for its process counts too; the stock server does not see it yet.
        if not enqueue and any(one["status"] in ("SUBMITTED", "RUNNING") for one in tasks("train")):
            raise HTTPException(
                429, "A training is running already; wait until it is done, or stop it with DELETE /train/."
            )
        if isinstance(task, RefusesEarly):
            task.refuse_early(params, app.datastore(), enqueue)
        return train.run_model(model, params, run_sync, enqueue)

    @router.post("/scoring/{method}", tags=["Scoring"], summary="Run a scoring method")
    def score(
        method: str, params: dict[str, Any] = Depends(body_object), run_sync: bool = False, _: User = ANNOTATOR
    ) -> Any:
        known(method, running_app()._scoring_methods, "scoring method")
        _same(params, "method", method)
        return scoring.run_method(method, params, run_sync)

    @router.post("/batch/infer/{model}", tags=["Infer"], summary="Infer on many images")
    def infer_batch(
        model: str,
        images: BatchInferImageType = BatchInferImageType.IMAGES_ALL,
        params: dict[str, Any] = Depends(body_object),
        run_sync: bool = False,
        _: User = ADMIN,
    ) -> Any:
        task = known_model(model)
        if task.type in INTERACTIVE:
            raise HTTPException(
                422, f"The model '{model}' needs a person's prompts on every image; use POST /infer/{model}."
            )
        _same(params, "model", model)
        if "images" in params:
            raise HTTPException(422, "'images' cannot be among the params; give it in the address.")
        checked_name(str(params.get("label_tag", "original")), "label tag")
        return batch_infer.run(model, images, params, run_sync)

    return router


def _same(params: dict[str, Any], key: str, value: str) -> None:
    # The stock server lets the body overrule the address.
    if params.get(key, value) != value:
        raise HTTPException(
            422, f"'{key}' in the body is '{printable(str(params[key]))}', but the address says '{value}'."
        )
