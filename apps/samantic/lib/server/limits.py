"""How much a server takes on, and the refusal of uploads beyond it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from samantic.app.lib.server.errors import plain_response

MIB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """Bounds of one server. upload_bytes: of a request's body; json_bytes: of parameters sent as JSON.

    running and waiting: inferences at work at once, and those that may wait for a turn. Source: ours.
    """

    upload_bytes: int = 2048 * MIB
    json_bytes: int = 1 * MIB
    running: int = 4
    waiting: int = 24

    @staticmethod
    def from_environment(environment: Mapping[str, str] = os.environ) -> Limits:
        """Return the bounds, with SAMANTIC_MAX_UPLOAD_MB, SAMANTIC_INFER_RUNNING and SAMANTIC_INFER_WAITING applied.

        Raises ValueError naming a variable that is not a whole number of at least 1 (waiting: 0).
        """
        return Limits(
            upload_bytes=_whole(environment, "SAMANTIC_MAX_UPLOAD_MB", 2048, 1) * MIB,
            running=_whole(environment, "SAMANTIC_INFER_RUNNING", 4, 1),
            waiting=_whole(environment, "SAMANTIC_INFER_WAITING", 24, 0),
        )


class UploadLimit:
    """Refuses a body beyond the limit: at once by its announced length, otherwise as soon as that much has come."""

    def __init__(self, app: ASGIApp, limit_bytes: int) -> None:
        self._app = app
        self._limit = limit_bytes
        self._sentence = f"The request is larger than the {limit_bytes // MIB} MB that this server takes."

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 413."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > self._limit:
            refusal = plain_response(413, self._sentence, headers={"Connection": "close"})
            await refusal(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._limit:
                # FastAPI passes an HTTPException on from where it reads the body.
                raise HTTPException(413, self._sentence)
            return message

        await self._app(scope, counted, send)


def _whole(environment: Mapping[str, str], name: str, default: int, least: int) -> int:
    text = environment.get(name, "").strip() or str(default)
    if not text.isdigit() or int(text) < least:
        raise ValueError(f"{name} is '{text}', but it must be a whole number of at least {least}.")
    return int(text)
