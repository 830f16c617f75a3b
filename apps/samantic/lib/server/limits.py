"""The refusal of requests that are too large."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from samantic.app.lib.server.errors import plain_response
from samantic.app.lib.server.settings import MIB


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
