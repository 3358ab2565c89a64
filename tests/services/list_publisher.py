"""A publisher's server on this machine, for tests that fetch lists."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from tests.services.intelligence_lists import MARK


@asynccontextmanager
async def serving(answer: Callable[[web.Request], Awaitable[web.StreamResponse]], *also: str) -> AsyncIterator[str]:
    """Answers requests at 127.0.0.1, and at the addresses given on the same port; the base of its addresses."""
    app = web.Application()
    app.router.add_get("/{name}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        for host in also:
            await web.TCPSite(runner, host, port).start()
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


class Files:
    """Gives the files that it has, leads on from the names in `moved`, and notes what was asked for."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.moved: dict[str, str] = {}
        self.asked: list[str] = []
        self.base = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        self.asked.append(name)
        if name in self.moved:
            raise web.HTTPFound(f"{self.base}/{self.moved[name]}")
        return web.Response(body=self.files[name]) if name in self.files else web.Response(status=404, text=MARK)
