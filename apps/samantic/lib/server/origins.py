"""Which web pages may talk to the server: those of this machine, and those that the administrator names."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from samantic.app.lib.datastore import printable
from samantic.app.lib.server.errors import plain_response

VARIABLE = "SAMANTIC_ALLOWED_ORIGINS"
LOCAL = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?"

_ORIGIN = re.compile(r"https?://[\w.\-\[\]:]+")


def allowed_origins(environment: Mapping[str, str] = os.environ) -> str:
    """Return the pattern of allowed origins: this machine's, and those in SAMANTIC_ALLOWED_ORIGINS (commas between).

    Raises ValueError for one that is not like https://host:port. Source: ours.
    """
    origins = [origin.strip().rstrip("/") for origin in environment.get(VARIABLE, "").split(",") if origin.strip()]
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise ValueError(f"{VARIABLE} names '{origin}', but an origin is like https://host or https://host:port.")
    return "|".join([LOCAL, *map(re.escape, origins)])


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
                sentence = f"Pages of {printable(origin)} may not use this server; {VARIABLE} can name them."
                await plain_response(403, sentence)(scope, receive, send)
                return
        await self._app(scope, receive, send)
