"""The gateway of the distributed runtime: the same paths as the embedded one, each handed on to the service that answers it.

It answers itself what is nobody's: health, tokens, dead letters, the journal, the API's pages. Who may call is asked by the service.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import aiohttp
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp
from yarl import URL

from services.runtime.front import LIMITS, front_app
from services.runtime.metrics import text_of
from services.runtime.node import Node
from shared.errors import Unavailable
from shared.http.hot import HotPaths
from shared.http.telemetry import TEMPLATE_KEY
from shared.security.tokens import Tokens
from shared.telemetry import tracing

_HOP = frozenset({b"connection", b"keep-alive", b"te", b"trailer", b"transfer-encoding", b"upgrade", b"host", b"content-length", b"expect"})
_CONNECT_S, _SILENCE_S = 5.0, 120.0  # until a service takes a connection; of an answer that does not go on
_CHUNK = 1 << 16
_WATCH_S = 2.0


class Gateway:
    """Hands requests on; one client with its connections a service."""

    def __init__(self, addresses: Mapping[str, str]) -> None:
        self._addresses = addresses
        self._client: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Ends what is open."""
        if self._client is not None:
            await self._client.close()

    def route(self, path: str, methods: set[str], service: str) -> Route:
        """Takes all requests of a path to a service."""

        async def hand_on(request: Request) -> Response:
            request.scope[TEMPLATE_KEY] = path  # FastAPI says which route it is of its own only
            return await self._ask(service, request)

        hand_on.__dict__["any_of"] = ()  # nobody is let in here: the service asks
        return Route(path, hand_on, methods=sorted(methods))

    def hot(self, service: str) -> Callable[[Request], Awaitable[Response]]:
        """Takes to a service what is small, and in a hurry: both ways in one piece."""

        async def hand_on(request: Request) -> Response:
            answer = await self._sent(service, request, await request.body())
            try:
                return _passed(Response(await answer.read()), answer)
            except (aiohttp.ClientError, TimeoutError, OSError):
                raise Unavailable from None

        return hand_on

    async def watch(self, unready: list[str]) -> None:
        """For ever: which services do not say that they are ready."""
        while True:
            # Side by side: one that is silent must not hide another's state.
            answers = await asyncio.gather(*map(self._ready, self._addresses))
            left = [name for name, ready in zip(self._addresses, answers, strict=True) if not ready]
            unready[:] = left
            await asyncio.sleep(_WATCH_S if not left else _WATCH_S / 10)

    async def _ready(self, service: str) -> bool:
        try:
            async with self._session().get(
                f"{self._addresses[service]}/health/ready", timeout=aiohttp.ClientTimeout(total=_CONNECT_S)
            ) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    def _session(self) -> aiohttp.ClientSession:
        if self._client is None:
            # Names are looked up for every connection: services that were started again may have changed addresses with each other.
            self._client = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=30.0, use_dns_cache=False),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S, sock_read=_SILENCE_S),
                auto_decompress=False, trust_env=False, cookie_jar=aiohttp.DummyCookieJar(),
            )  # fmt: skip
        return self._client

    async def _ask(self, service: str, request: Request) -> Response:
        sized = request.headers.get("content-length")
        body = request.stream() if sized not in (None, "0") or "transfer-encoding" in request.headers else None
        answer = await self._sent(service, request, body)
        return _passed(StreamingResponse(_body(answer)), answer)

    async def _sent(self, service: str, request: Request, body: Any) -> aiohttp.ClientResponse:
        """What a service answers, as soon as it begins to."""
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw if name not in _HOP]
        if trace := tracing.current():
            headers = [*((name, value) for name, value in headers if name != "traceparent"), ("traceparent", trace)]
        if (length := request.headers.get("content-length")) is not None:
            headers.append(("content-length", length))
        target = self._addresses[service] + request.scope["raw_path"].decode("ascii")
        if request.scope["query_string"]:
            target += "?" + request.scope["query_string"].decode("ascii")
        try:
            return await self._session().request(
                request.method,
                URL(target, encoded=True),  # as it was asked: encoding it anew would make another path of it
                headers=headers,
                data=body,
                allow_redirects=False,
                skip_auto_headers=("user-agent", "accept", "accept-encoding", "content-type"),
            )
        except (aiohttp.ClientError, TimeoutError, OSError):
            raise Unavailable from None


def _passed(response: Response, answer: aiohttp.ClientResponse) -> Response:
    """With the status and the headers of a service's answer."""
    response.status_code = answer.status
    response.raw_headers = [(name.lower(), value) for name, value in answer.raw_headers if name.lower() not in _HOP - {b"content-length"}]
    return response


async def _body(answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    try:
        async for chunk in answer.content.iter_chunked(_CHUNK):
            yield chunk
    finally:
        answer.release()


def gateway_app(node: Node, tokens: Tokens, missing: Callable[[], list[str]], gateway: Gateway) -> ASGIApp:
    """All services' paths in front of their routes, which stay for their documentation; the hot ones around the framework."""
    app = front_app(node, tokens, missing, text_of(node, "gateway"))
    own = {service.name: _paths(node, service) for service in node.services}
    routes = [gateway.route(path, methods, name) for name, paths in own.items() for path, methods in paths]
    app.router.routes[:0] = routes
    hot = {asked: gateway.hot(service.name) for service in node.services for asked in service.hot(node.contexts[service.name])}
    return HotPaths(app, hot, LIMITS)


def _paths(node: Node, service: Any) -> list[tuple[str, set[str]]]:
    """What a service answers, in the order of its routes."""
    context = node.contexts[service.name]
    routers = [*service.api(context), *service.inner_api(context)]
    app = FastAPI(openapi_url=None)
    for router in routers:
        app.include_router(router)
    return [(str(found.path), set(found.original_route.methods or ())) for found in iter_route_contexts(app.routes)]  # type: ignore[attr-defined]
