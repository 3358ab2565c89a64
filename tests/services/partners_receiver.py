"""A subscriber for tests: a real HTTP server on 127.0.0.1 that keeps what it was sent and answers as told."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web


class Receiver:
    """`got` holds (path, headers, body) of each request; `status`, `headers` and `delay_s` say how it answers; it is slow below `slow_path`."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.status, self.headers, self.delay_s = 204, dict[str, str](), 0.0
        self.slow_path = "/"
        self.now = self.peak = 0
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.got.append((request.path, {k.lower(): v for k, v in request.headers.items()}, body))
        self.now += 1
        self.peak = max(self.peak, self.now)
        try:
            await asyncio.sleep(self.delay_s if request.path.startswith(self.slow_path) else 0.0)
        finally:
            self.now -= 1
        return web.Response(status=self.status, headers=self.headers)

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, _, body in self.got]

    def ids(self) -> list[str]:
        return [event["id"] for event in self.events()]


@contextlib.asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver that listens."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert runner.addresses
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield receiver
    finally:
        await runner.cleanup()
