"""Who may call a route. Deny by default: a route without a permission or the explicit PUBLIC mark cannot be made.

FastAPI reads and parses a body before it asks any dependency. Here permission comes first: whoever may not call gets
401 or 403 without a byte of the body being read.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import wraps
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.openapi.models import HTTPBearer
from fastapi.params import Depends as Dependency
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection
from starlette.responses import Response

from shared.errors import Forbidden, Invalid, Unauthenticated
from shared.http.limits import Rates
from shared.http.problems import PRINCIPAL_KEY
from shared.security.roles import Permission, Principal
from shared.security.tokens import KeysNeeded, Tokens


async def authorise(request: HTTPConnection, any_of: Sequence[Permission]) -> Principal:
    """The caller, holding at least one of the permissions; Unauthenticated, Forbidden, or SlowDown over the tenant's rate.

    Reads `app.state.tokens` and `app.state.rates` of the app that serves the request, mounted or not.
    """
    scope = request.scope
    principal: Principal | None = scope.get(PRINCIPAL_KEY)
    if principal is None:
        state = scope["app"].state
        principal = await _authenticate(scope["headers"], state.tokens)
        rates: Rates | None = state.rates
        if rates is not None:
            rates.take(principal.tenant)
        scope[PRINCIPAL_KEY] = principal
    if not any(principal.may(permission) for permission in any_of):
        raise Forbidden
    return principal


async def _authenticate(headers: list[tuple[bytes, bytes]], tokens: Tokens) -> Principal:
    given = [value for name, value in headers if name == b"authorization"]
    if len(given) != 1 or given[0][:7].lower() != b"bearer ":
        raise Unauthenticated
    token = given[0][7:].strip().decode("latin-1")
    try:
        return tokens.verify(token)
    except KeysNeeded:
        await tokens.refresh()
        return tokens.verify(token)


class Requires(SecurityBase):
    """The dependency behind `requires`; its type tells OpenAPI that a bearer token is needed."""

    model = HTTPBearer(bearerFormat="JWT", description="`duewatch tokens issue`, or your identity provider")
    scheme_name = "bearer"

    def __init__(self, any_of: tuple[Permission, ...]) -> None:
        self.any_of = any_of

    async def __call__(self, request: Request) -> Principal:
        return await authorise(request, self.any_of)


def requires(*any_of: Permission) -> Any:
    """`caller: Annotated[Principal, requires(Permission.SUPPLIERS_READ)]`: the route needs one of these permissions."""
    if not any_of:
        raise ValueError("Name at least one permission, or mark the route as PUBLIC")
    return Depends(Requires(any_of))


async def _nobody_in_particular() -> None:
    """Marks a route that needs no token."""


PUBLIC: Dependency = Depends(_nobody_in_particular)  # `@routes.get(..., dependencies=[PUBLIC])`


class GuardedRoute(APIRoute):
    """A route that authorises its caller before it reads the body; without a rule who that may be, it cannot be made."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        handle = super().get_route_handler()
        rules = list(_rules(self.dependant))
        if not rules and not _is_public(self.dependant):
            raise TypeError(f"{self.path} names neither a permission nor PUBLIC")
        known = _PAGING.union(_parameters(self.dependant))  # a mistyped filter must not find everything

        async def guarded_handle(request: Request) -> Response:
            for rule in rules:
                await authorise(request, rule.any_of)
            if rules and request.scope["query_string"] and not known.issuperset(request.query_params):
                raise Invalid("Unknown parameters", errors=[{"field": "query", "message": _KNOWN + ", ".join(sorted(known))}])
            answer: Response = await handle(request)
            return answer

        return guarded_handle


def router(prefix: str = "", *, tag: str | None = None) -> APIRouter:
    """The router of a service: every route on it is guarded."""
    return APIRouter(prefix=prefix, tags=[tag] if tag else None, route_class=GuardedRoute)


Endpoint = Callable[[Request, Principal], Awaitable[Response]]


def guarded(*any_of: Permission) -> Callable[[Endpoint], Callable[[Request], Awaitable[Response]]]:
    """For plain Starlette routes (the gate, where FastAPI would cost more than the decision): `async def f(request, caller)`."""
    if not any_of:
        raise ValueError("Name at least one permission")

    def wrap(endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
        @wraps(endpoint)
        async def guarded_endpoint(request: Request) -> Response:
            return await endpoint(request, await authorise(request, any_of))

        guarded_endpoint.__dict__["any_of"] = any_of
        return guarded_endpoint

    return wrap


def unguarded_routes(app: FastAPI) -> list[str]:
    """Paths of routes that anybody could call without anyone having said so; a test wants this empty."""
    return [
        str(found.path)
        for found in iter_route_contexts(app.routes)
        if not isinstance(found.original_route, GuardedRoute) and not hasattr(found.endpoint, "any_of")
    ]


def _rules(dependant: Dependant) -> Iterator[Requires]:
    for inner in dependant.dependencies:
        if isinstance(inner.call, Requires):
            yield inner.call
        yield from _rules(inner)


def _parameters(dependant: Dependant) -> Iterator[str]:
    yield from (parameter.alias for parameter in dependant.query_params)
    for inner in dependant.dependencies:
        yield from _parameters(inner)


_PAGING = frozenset({"limit", "cursor"})  # asked of whatever answers items, also where all of them fit one page
_KNOWN = "A parameter of a name that is unknown here; known are: "


def _is_public(dependant: Dependant) -> bool:
    return any(inner.call is _nobody_in_particular for inner in dependant.dependencies)
