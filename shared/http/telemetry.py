"""ASGI, outermost: how long each route takes, and a server span for each request where there are traces.

FastAPI's and Starlette's own are not used: they are below the hot routes, and put query strings and addresses of callers on spans.
https://opentelemetry.io/docs/specs/semconv/http/http-spans/
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.telemetry import metrics, tracing

_METHODS = frozenset({"GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS"})
_UNTRACED = ("/health/", "/metrics")  # asked every few seconds, by nobody who follows it
NO_ROUTE = "none"  # what fits none must not make a series for each address that somebody tries
TEMPLATE_KEY = "duewatch.route"  # in the scope, where no framework's route stands


class Observed:
    """Around a whole app."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._observe: dict[tuple[str, str, int], Callable[[float], None]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            if tracing.on() and not scope["path"].startswith(_UNTRACED):
                with _span(scope) as step:
                    try:
                        await self._app(scope, receive, noting)
                    finally:
                        _describe(step, scope, status)
            else:
                await self._app(scope, receive, noting)
        finally:
            key = (scope["method"], _route(scope), status)
            observe = self._observe.get(key)
            if observe is None:
                method = key[0] if key[0] in _METHODS else "_OTHER"
                observe = self._observe[method, *key[1:]] = metrics.HTTP_SECONDS.labels(method, key[1], status).observe
            observe(time.perf_counter() - began)


def _route(scope: Scope) -> str:
    template = scope.get(TEMPLATE_KEY) or getattr(scope.get("route"), "path_format", None)
    return template if isinstance(template, str) else NO_ROUTE


def _span(scope: Scope) -> tracing.Step:
    given = [value for name, value in scope["headers"] if name == b"traceparent"]
    parent = given[0].decode("latin-1") if len(given) == 1 else ""  # two are none, says the standard
    method = scope["method"] if scope["method"] in _METHODS else "HTTP"
    attributes: Mapping[str, Any] = {
        "http.request.method": scope["method"] if method != "HTTP" else "_OTHER",
        "url.scheme": scope["scheme"],
    }
    return tracing.step(method, kind="server", parent=parent, attributes=attributes)


def _describe(step: tracing.Step, scope: Scope, status: int) -> None:
    route = _route(scope)
    if route != NO_ROUTE:
        step.name(f"{scope['method']} {route}")
        step.note(http__route=route)
    step.note(http__response__status_code=status)
    if status >= 500:
        step.failed(str(status))
