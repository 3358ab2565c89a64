"""The HTTP front: the API of all services in one app, and a way on to what only another process can answer."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import aiohttp
import uvicorn
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from services.runtime.metrics import Text, metrics, text_of
from services.runtime.node import Node
from services.runtime.operations import health
from services.runtime.operations import routers as operations
from services.runtime.processes import FORWARDED, WORKERS
from shared.errors import Unavailable
from shared.http.application import create_app
from shared.http.auth import guarded
from shared.http.hot import HotPaths
from shared.http.limits import MEGABYTE, Limits, Rates
from shared.http.slow import PatientProtocol
from shared.http.telemetry import TEMPLATE_KEY, Observed
from shared.security.oidc import ExternalIssuer, OidcSettings
from shared.security.roles import Principal, parse_role_names
from shared.security.tokens import LocalIssuer, Tokens
from shared.settings import Settings
from shared.telemetry import tracing

VERSION = "0.1.0"
LIMITS = Limits(by_prefix={"/v1/supplier-imports": 4_000 * MEGABYTE, "/v1/lists/": 512 * MEGABYTE})
_FORWARD_S = 30.0
_TICK_S = 0.25


def tokens_of(settings: Settings) -> Tokens:
    """The issuer that the settings name; a local one else."""
    if settings.oidc_issuer:
        return ExternalIssuer(
            OidcSettings(
                issuer=settings.oidc_issuer,
                audience=settings.oidc_audience,
                keys=settings.oidc_jwks,
                tenant_claim=settings.oidc_tenant_claim,
                roles_claim=settings.oidc_roles_claim,
                role_names=parse_role_names(settings.oidc_role_names),
            )
        )
    return LocalIssuer(settings.data / "keys")


def front(node: Node, tokens: Tokens, missing: Callable[[], list[str]]) -> ASGIApp:
    """What the front answers with: the hot routes, then the app."""
    hot = {asked: endpoint for service in node.services for asked, endpoint in service.hot(node.contexts[service.name]).items()}
    return HotPaths(front_app(node, tokens, missing, text_of(node, node.name, (worker.name for worker in WORKERS))), hot, LIMITS)


def front_app(node: Node, tokens: Tokens, missing: Callable[[], list[str]], text: Text | None = None) -> FastAPI:
    """All services' APIs. `missing`: what is not ready yet; `text`: the metrics, of this process if not said otherwise."""
    app = _app(node, tokens)
    for router in operations(node, tokens, missing, text):
        app.include_router(router)
    for service in node.services:
        for router in service.api(node.contexts[service.name]):
            app.include_router(router)
        for router in service.inner_api(node.contexts[service.name]):
            app.include_router(router)
    _forward(app, node)
    return app


def service_app(node: Node, name: str, missing: Callable[[], list[str]], *, inner: bool) -> ASGIApp:
    """One service's API and its health; `inner`: with what it answers only where its reactions run."""
    app, context = _app(node, tokens_of(node.settings)), node.contexts[name]
    service = next(s for s in node.services if s.name == name)
    for router in [health(missing), metrics(text_of(node, name)), *service.api(context), *(service.inner_api(context) if inner else ())]:
        app.include_router(router)
    return HotPaths(app, service.hot(context), LIMITS)


def inner_app(node: Node, service_name: str) -> FastAPI:
    """What one service answers only where its reactions run."""
    app = _app(node, tokens_of(node.settings))
    service = next(s for s in node.services if s.name == service_name)
    for router in service.inner_api(node.contexts[service_name]):
        app.include_router(router)
    return app


def _app(node: Node, tokens: Tokens) -> FastAPI:
    rate = node.settings.requests_per_s
    return create_app("Duewatch", VERSION, tokens, limits=LIMITS, rates=Rates(rate, 2 * rate))


def _forward(app: FastAPI, node: Node) -> None:
    """In front of the same routes, which stay for their documentation: what only the process with the index can answer."""
    clients: dict[str, aiohttp.ClientSession] = {}
    for (method, path), (process, permission) in FORWARDED.items():

        @guarded(permission)
        async def forward(request: Request, _caller: Principal, process: str = process, path: str = path) -> Response:
            request.scope[TEMPLATE_KEY] = path
            if process not in clients:
                connector = aiohttp.UnixConnector(path=node.nudges.address(f"{process}.http"))
                clients[process] = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=_FORWARD_S))
                node.closing.append(clients[process].close)
            return await _ask(clients[process], request)

        app.router.routes.insert(0, Route(path, forward, methods=[method]))


async def _ask(client: aiohttp.ClientSession, request: Request) -> Response:
    headers = {k: v for k, v in request.headers.items() if k in ("authorization", "content-type", "accept", "idempotency-key")}
    if trace := tracing.current():
        headers["traceparent"] = trace
    body = await request.body()
    try:
        async with client.request(request.method, f"http://inner{request.url.path}", headers=headers, data=body) as answer:
            kept = {k: v for k, v in answer.headers.items() if k.lower() in ("content-type", "www-authenticate", "retry-after")}
            return Response(await answer.read(), answer.status, kept)
    except (aiohttp.ClientError, TimeoutError, OSError):
        raise Unavailable from None


class _Server(uvicorn.Server):
    """Signals are the caller's. It looks four times a second whether it should end, not ten times: that was a third of all that wakes an idle process."""

    async def main_loop(self) -> None:
        while not await self.on_tick(0):  # noqa: ASYNC110  # uvicorn tells it by a flag only
            await asyncio.sleep(_TICK_S)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def server(app: ASGIApp, **where: Any) -> uvicorn.Server:
    """A uvicorn server with our limits for slow and endless clients."""
    config = uvicorn.Config(
        Observed(app), http=PatientProtocol, loop="uvloop", lifespan="off", access_log=False, log_config=None, server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=5, backlog=2048, ws="none", **where,
    )  # fmt: skip
    return _Server(config)
