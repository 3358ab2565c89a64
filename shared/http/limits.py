"""Limits on what a caller can cost: body sizes, slow bodies, requests a second. Pure ASGI, in front of everything."""

import asyncio
import math
import time
from collections.abc import Callable, Mapping

import msgspec
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import TooLarge, TooMany, Unavailable
from shared.http.problems import of_error

MEGABYTE = 1_000_000
_SMALL_REST = 65_536  # of an unread body: the server swallows it by itself and keeps the connection
_TENANTS_REMEMBERED = 10_000


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes of a body by the longest fitting path prefix (else `body`), and how slowly it may come.

    A body may be waited for `grace_s` seconds, plus a second for every `bytes_per_s` that came; of these no more than `patience_s` are
    saved up, or whoever sent a gigabyte at once could keep it lying here for days.
    `drain_bytes`, `drain_s`: how much of a refused body is still read, so that its sender gets to see the answer.
    """

    body: int = MEGABYTE
    by_prefix: Mapping[str, int] = {}
    grace_s: float = 20.0
    bytes_per_s: float = 4_096.0
    patience_s: float = 60.0
    drain_bytes: int = 16 * MEGABYTE
    drain_s: float = 3.0

    def of(self, path: str) -> int:
        fitting = [prefix for prefix in self.by_prefix if path.startswith(prefix)]
        return self.by_prefix[max(fitting, key=len)] if fitting else self.body


class BodyLimits:
    """The middleware: 413 before a byte is read where the length is declared, while reading where not; 408 if too slow."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app, self._limits = app, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _announces_body(scope):
            await self._app(scope, receive, send)
            return
        body = _Body(scope, receive, send, self._limits)
        if body.declared is not None and body.declared > body.limit:
            await of_error(TooLarge())(scope, body.receive, body.send)
        else:
            await self._app(scope, body.receive, body.send)


class _Body:
    """One request's body on its way in, and the answer on its way out."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, limits: Limits) -> None:
        self._receive, self._send, self._limits = receive, send, limits
        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"")
        self.declared = int(length) if length.isdigit() and len(length) < 19 else None
        self.limit = limits.of(scope["path"])
        self._silent = b"expect" in headers  # it sends nothing (more) by itself: waits for our 100 Continue, or is late
        self._read, self._whole = 0, False
        self._patience = limits.grace_s  # seconds
        self._answering = self._closing = False

    async def receive(self) -> Message:
        if self._whole or self._answering:  # what comes now is only asked for to see the client leave
            return await self._receive()
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._patience):
                message = await self._receive()
        except TimeoutError:
            self._silent = True
            # Starlette's exception, for FastAPI makes a 400 of any other that comes while it reads a body.
            raise HTTPException(408) from None
        self._patience -= time.monotonic() - began
        if message["type"] == "http.request":
            size = len(message.get("body", b""))
            self._read += size
            self._patience = min(self._limits.patience_s, self._patience + size / self._limits.bytes_per_s)
            self._whole = not message.get("more_body", False)
            if self._read > self.limit:
                raise HTTPException(413)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._answering = True
            self._closing = not self._whole and (self._silent or self._rest_is_large())
            if self._closing:
                message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
        elif self._closing and not message.get("more_body", False):
            # Closing while bytes still come resets the connection, and the answer may be lost with it: so the answer
            # goes out now, and its (empty) end after some of the rest was read.
            await self._send({**message, "more_body": True})
            await self._drain()
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await self._send(message)

    def _rest_is_large(self) -> bool:
        return self.declared is None or self.declared - self._read > _SMALL_REST

    async def _drain(self) -> None:
        if self._silent:
            return
        rest = self._limits.drain_bytes
        try:
            async with asyncio.timeout(self._limits.drain_s):
                while rest > 0 and not self._whole:
                    message = await self._receive()
                    rest -= len(message.get("body", b""))
                    self._whole = not message.get("more_body", False)
        except TimeoutError:
            return


def _announces_body(scope: Scope) -> bool:
    return any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"])


class SlowDown(TooMany):
    """Over what this tenant may have at once; `retry_after` seconds."""

    def __init__(self, retry_after: int, detail: str = "") -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Busy(Unavailable):
    """Enough waits to be worked on; `retry_after` seconds. 503, not 429: nobody asked too much, we are behind."""

    def __init__(self, retry_after: int, detail: str) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Rates:
    """A token bucket a tenant: `per_s` requests a second, `burst` at once."""

    def __init__(self, per_s: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        if per_s <= 0 or burst < 1:
            raise ValueError("A rate is above 0, its burst at least 1")
        self._per_s, self._burst, self._clock = per_s, burst, clock
        self._buckets: dict[str, tuple[float, float]] = {}  # tenant -> what is left, when

    def take(self, tenant: str) -> None:
        """Counts one request, or raises SlowDown."""
        now = self._clock()
        left, then = self._buckets.get(tenant, (self._burst, now))
        left = min(self._burst, left + (now - then) * self._per_s)
        if left < 1.0:
            raise SlowDown(math.ceil((1.0 - left) / self._per_s))
        if tenant not in self._buckets and len(self._buckets) >= _TENANTS_REMEMBERED:
            del self._buckets[next(iter(self._buckets))]
        self._buckets[tenant] = (left - 1.0, now)
