"""The place at the workbench is for one browser; other pages and other names of this machine get nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace

import pytest

aiohttp = pytest.importorskip("aiohttp")

from aiohttp import web  # noqa: E402

from samantic.workbench.one_visitor import COOKIE, OneVisitor  # noqa: E402

Visit = Callable[[aiohttp.ClientSession, str], Awaitable[None]]


def visit(act: Visit) -> None:
    """Run `act` against a server that answers a page and echoes over a socket, behind the doorkeeper."""

    async def run() -> None:
        async def page(_: web.Request) -> web.Response:
            return web.Response(text="the page")

        async def socket(request: web.Request) -> web.WebSocketResponse:
            response = web.WebSocketResponse()
            await response.prepare(request)
            async for message in response:
                await response.send_str(message.data)
            return response

        application = web.Application()
        OneVisitor().guard(SimpleNamespace(app=application))
        application.router.add_get("/", page)
        application.router.add_get("/ws", socket)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            async with browser() as session:
                await act(session, f"http://127.0.0.1:{runner.addresses[0][1]}")
        finally:
            await runner.cleanup()

    asyncio.run(run())


def browser() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))


def test_the_first_browser_gets_the_page_and_may_load_it_again() -> None:
    async def act(session: aiohttp.ClientSession, url: str) -> None:
        async with session.get(url) as answer:
            assert (answer.status, await answer.text()) == (200, "the page")
            assert COOKIE in answer.cookies
        async with session.ws_connect(f"{url}/ws"), session.get(url) as again:
            assert again.status == 200

    visit(act)


def test_a_second_browser_is_told_politely_until_the_first_has_gone() -> None:
    async def act(session: aiohttp.ClientSession, url: str) -> None:
        await (await session.get(url)).text()
        async with browser() as other:
            async with session.ws_connect(f"{url}/ws"):
                async with other.get(url) as refused:
                    assert refused.status == 409
                    assert "Somebody is annotating here already" in await refused.text()
                with pytest.raises(aiohttp.WSServerHandshakeError):
                    await other.ws_connect(f"{url}/ws")
            await asyncio.sleep(0.1)
            async with other.get(url) as welcome:
                assert welcome.status == 200

    visit(act)


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://evil.example"}, {"Host": "evil.example:80"}], ids=["another page", "another name"]
)
def test_other_pages_and_other_names_of_this_machine_are_refused(headers: dict[str, str]) -> None:
    async def act(session: aiohttp.ClientSession, url: str) -> None:
        for path in ("/", "/ws"):
            async with session.get(f"{url}{path}", headers=headers) as answer:
                assert answer.status == 403

    visit(act)
