"""Every error as one plain sentence: `{"detail": "…"}`, 4xx for what a client can mend, the trace only in the log."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from monailabel.interfaces.exception import (
    ImageNotFoundException,
    LabelNotFoundException,
    MONAILabelError,
    MONAILabelException,
)
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from samantic.app.lib.datastore import ImageExistsError, NameRefusedError, ReadOnlyError, printable
from samantic.app.lib.infers.wire import RequestError
from samantic.app.lib.jobs import JobNotDoneError, TooManyJobsError, UnknownJobError
from samantic.app.lib.server.inference_queue import BusyError
from samantic.imaging import ImageReadError
from samantic.prompts import PromptError
from samantic.training.model_store import ModelStoreError, StoreBusyError, UnknownVersionError
from samantic.vocabulary import UnknownClassError

STATUS: dict[type[Exception], int] = {
    NameRefusedError: 422,
    ImageReadError: 422,
    PromptError: 422,
    UnknownClassError: 422,
    RequestError: 422,
    ImageExistsError: 409,
    ReadOnlyError: 403,
    ImageNotFoundException: 404,
    LabelNotFoundException: 404,
    UnknownJobError: 404,
    JobNotDoneError: 409,
    UnknownVersionError: 404,
    ModelStoreError: 409,
    StoreBusyError: 409,
    BusyError: 503,
    TooManyJobsError: 503,
}

logger = logging.getLogger(__name__)


def plain_response(status: int, sentence: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return the answer that says one sentence."""
    return JSONResponse({"detail": sentence}, status_code=status, headers=dict(headers or {}))


def install_error_handlers(app: FastAPI) -> None:
    """Make `app` answer every known kind of error with its status and one sentence. Source: ours."""
    for kind in STATUS:
        app.add_exception_handler(kind, _known_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(MONAILabelException, _monailabel_error)


class UnexpectedErrors:
    """Answers 500 with an error number; the trace goes to the log under the same number, and only there."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; answer for what nobody expected."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answered = False

        async def noted(message: Message) -> None:
            nonlocal answered
            answered = True
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except Exception:
            if answered:
                raise
            number = secrets.token_hex(4)
            logger.exception("Error %s in %s %s", number, scope["method"], scope["path"])
            sentence = f"The server could not do this because of an error of its own; its log has it as {number}."
            await plain_response(500, sentence)(scope, receive, send)


async def _known_error(_: Request, error: Exception) -> JSONResponse:
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    return plain_response(status, _sentence(str(error)), {"Retry-After": "1"} if status == 503 else None)


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    detail = error.detail if isinstance(error.detail, str) else str(error.detail)
    if error.status_code == 404 and detail == "Not Found":
        detail = f"There is nothing at {printable(request.url.path)}; /openapi.json lists what there is."
    if error.status_code == 405:
        detail = f"{request.method} is not possible at {printable(request.url.path)}; /openapi.json says what is."
    return plain_response(error.status_code, _sentence(detail), error.headers)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return plain_response(422, _sentence(_said(error.errors()[0])))


async def _monailabel_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, MONAILabelException)
    if error.error == MONAILabelError.INVALID_INPUT:
        return plain_response(422, _sentence(str(error.msg)))
    raise error


def _said(problem: Mapping[str, Any]) -> str:
    where = [str(part) for part in problem["loc"] if part not in ("body", "query", "path")]
    name = f"'{printable('.'.join(where))}'" if where else "The body of the request"
    if problem["type"] == "missing":
        return f"{name} is missing" if where else "The body of the request is empty"
    value = problem.get("input")
    shown = f" ('{printable(str(value))}')" if isinstance(value, str | int | float) else ""
    return f"{name}{shown} is not valid: {problem['msg'][:1].lower()}{problem['msg'][1:]}"


def _sentence(text: str) -> str:
    first = " ".join(text.split())
    first = first[:1].upper() + first[1:]
    return first if first.endswith((".", "?", "!")) else f"{first}."
