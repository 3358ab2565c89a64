"""A way around the framework, for the few routes where it would cost more than the answer.

What the framework's middlewares give stays: limits, permissions, problems. Left out are routing by patterns, two layers of
exception handling and one of telemetry: a third of what a decision of the gate costs.
"""

from collections.abc import Awaitable, Callable, Mapping

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.errors import DuewatchError
from shared.http.limits import BodyLimits, Limits
from shared.http.problems import UnexpectedErrors, of_error, of_status
from shared.http.telemetry import TEMPLATE_KEY

Hot = Mapping[tuple[str, str], Callable[[Request], Awaitable[Response]]]  # method, exact path -> what `auth.guarded` made


class HotPaths:
    """ASGI: the hot routes first, everything else by the app, whose `state` both read."""

    def __init__(self, app: FastAPI, hot: Hot, limits: Limits) -> None:
        self._app = app
        self._hot = {asked: UnexpectedErrors(BodyLimits(_plain(endpoint), limits)) for asked, endpoint in hot.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = self._hot.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if found is None:
            await self._app(scope, receive, send)
        else:
            scope["app"] = self._app
            scope[TEMPLATE_KEY] = scope["path"]
            await found(scope, receive, send)


def _plain(endpoint: Callable[[Request], Awaitable[Response]]) -> ASGIApp:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await endpoint(Request(scope, receive))
        except DuewatchError as error:
            response = of_error(error)
        except HTTPException as error:
            response = of_status(error.status_code, dict(error.headers or {}))
        await response(scope, receive, send)

    return answer
