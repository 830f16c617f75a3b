"""The server: our checks in front of MONAI Label's own application."""

from __future__ import annotations

import os
from collections.abc import Mapping

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from monailabel.config import settings
from starlette.middleware import Middleware

from samantic import __version__
from samantic.app.lib.jobs import Jobs
from samantic.app.lib.server.errors import UnexpectedErrors, install_error_handlers
from samantic.app.lib.server.inference_queue import InferenceQueue
from samantic.app.lib.server.limits import UploadLimit
from samantic.app.lib.server.origins import ForeignPages
from samantic.app.lib.server.routes_datastore import datastore_router
from samantic.app.lib.server.routes_infer import infer_router
from samantic.app.lib.server.routes_jobs import jobs_router
from samantic.app.lib.server.routes_leases import leases_router
from samantic.app.lib.server.routes_other import no_proxy_router, other_router
from samantic.app.lib.server.routes_samantic import samantic_router
from samantic.app.lib.server.routes_sessions import session_router
from samantic.app.lib.server.routes_tasks import task_router
from samantic.app.lib.server.routes_versions import versions_router
from samantic.app.lib.server.settings import Limits, allowed_origins


def create_server(stock: FastAPI, environment: Mapping[str, str] = os.environ) -> FastAPI:
    """Return an application with our routes first and the routes and start-up of `stock` behind them.

    `stock` stays as it is. Raises ValueError for an environment variable of a wrong form. Source: ours.
    """
    limits = Limits.from_environment(environment)
    origins = allowed_origins(environment)
    server = FastAPI(
        title="Samantic",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        lifespan=stock.router.lifespan_context,
        middleware=[
            Middleware(CORSMiddleware, allow_origin_regex=origins, allow_methods=["*"], allow_headers=["*"]),
            Middleware(ForeignPages, allowed=origins),
            Middleware(UploadLimit, limit_bytes=limits.upload_bytes),
            Middleware(UnexpectedErrors),
        ],
    )
    install_error_handlers(server)
    prefix = settings.MONAI_LABEL_API_STR
    for router in (
        infer_router(InferenceQueue(limits.running, limits.waiting)),
        datastore_router(),
        session_router(limits),
        task_router(),
        other_router(),
        samantic_router(limits),
        jobs_router(Jobs()),
        leases_router(),
        versions_router(),
        *([] if settings.MONAI_LABEL_STUDIES.startswith("http") else [no_proxy_router()]),
    ):
        server.include_router(router, prefix=prefix)
    server.router.routes.extend(stock.routes)
    return server
