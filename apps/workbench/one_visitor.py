"""One person at a time: a second browser gets a page that says so, and other web pages get nothing."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

COOKIE = "samantic_workbench"
SOCKET = "/ws"
PAGES = ("/", "/index.html")
LOCAL = ("127.0.0.1", "localhost", "[::1]")

TAKEN = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Samantic is in use</title>
<meta name="viewport" content="width=device-width">
<body style="margin:0;height:100vh;display:flex;align-items:center;justify-content:center;background:#0e1114;
color:#dfe6eb;font-family:Inter,'Segoe UI',Roboto,system-ui,sans-serif"><main style="max-width:34em;padding:2em">
<h1 style="font-size:22px">Somebody is annotating here already</h1>
<p style="color:#9aa6b1;line-height:1.6">This workbench keeps the segments of one person. Close it in the other browser
and load this page again, or start a workbench of your own:</p>
<pre style="background:#1b2127;border-radius:8px;padding:.9em 1.1em">samantic workbench --port 8081</pre>
</main></body></html>"""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class OneVisitor:
    """Gives the place to the first browser, and again to another when that one has gone. Source: ours."""

    def __init__(self) -> None:
        self._holder: str | None = None
        self._open = 0

    def guard(self, server: Any) -> None:
        """Stand before all routes of a wslink server that has not started."""

        @web.middleware
        async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self.check(request, handler)

        server.app.middlewares.append(check)

    async def check(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer a request, or refuse it."""
        if not _is_local(request):
            raise web.HTTPForbidden(text="The workbench answers its own page only.")
        visitor = request.cookies.get(COOKIE)
        is_taken = self._open > 0 and visitor != self._holder
        if request.path in PAGES:
            if is_taken:
                return web.Response(text=TAKEN, content_type="text/html", status=409)
            return await self._welcome(request, handler, visitor)
        if request.path == SOCKET:
            if is_taken:
                raise web.HTTPConflict(text="Somebody else is connected.")
            return await self._hold(request, handler, visitor)
        return await handler(request)

    async def _welcome(self, request: web.Request, handler: Handler, visitor: str | None) -> web.StreamResponse:
        try:
            response = await handler(request)
        except web.HTTPException as redirect:
            response = redirect
        if visitor is None:
            response.set_cookie(COOKIE, secrets.token_urlsafe(16), httponly=True, samesite="Strict")
        if isinstance(response, web.HTTPException):
            raise response
        return response

    async def _hold(self, request: web.Request, handler: Handler, visitor: str | None) -> web.StreamResponse:
        self._holder = visitor
        self._open += 1
        try:
            return await handler(request)
        finally:
            self._open -= 1


def _is_local(request: web.Request) -> bool:
    """Whether the page is this server's own: no other name for this machine, no page of another origin."""
    host = request.host.rsplit(":", 1)[0]
    origin = request.headers.get("Origin")
    return host in LOCAL and (origin is None or urlsplit(origin).netloc == request.host)
