"""The refusal of what foreign web pages send."""

from __future__ import annotations

import re

from starlette.types import ASGIApp, Receive, Scope, Send

from samantic.app.lib.datastore import printable
from samantic.app.lib.server.errors import plain_response
from samantic.app.lib.server.settings import ORIGINS_VARIABLE


class ForeignPages:
    """Refuses what a page of a foreign origin sends: a browser would send it, and only hide the answer from it."""

    def __init__(self, app: ASGIApp, allowed: str) -> None:
        self._app = app
        self._allowed = re.compile(allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 403."""
        if scope["type"] == "http":
            headers = dict(scope["headers"])
            origin = headers.get(b"origin", b"").decode("latin-1")
            own = f"{scope['scheme']}://{headers.get(b'host', b'').decode('latin-1')}"
            if origin and origin != own and not self._allowed.fullmatch(origin):
                sentence = f"Pages of {printable(origin)} may not use this server; {ORIGINS_VARIABLE} can name them."
                await plain_response(403, sentence)(scope, receive, send)
                return
        await self._app(scope, receive, send)
