"""The one way to make an HTTP app here: problems, limits, tokens and documentation are in it before the first route."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.telemetry import TelemetryConfig
from pydantic import BaseModel, ConfigDict
from starlette.types import Lifespan

from shared.http import problems
from shared.http.auth import GuardedRoute
from shared.http.docs import docs_router
from shared.http.limits import BodyLimits, Limits, Rates
from shared.security.tokens import Tokens

_PROBLEM_SCHEMA = {
    "type": "object",
    "description": "RFC 9457",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "id": {"type": "string", "description": "of an unexpected error, as it stands in the log"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
_PROBLEM_ANSWER = {
    "description": "Refused, or failed",
    "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}  # see shared.http.telemetry


class Body(BaseModel):
    """Base of all request bodies: unknown fields are errors, and no text is longer than anything we would store."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_max_length=100_000, allow_inf_nan=False)


def create_app(
    title: str,
    version: str,
    tokens: Tokens,
    *,
    limits: Limits | None = None,
    rates: Rates | None = None,
    lifespan: Lifespan[FastAPI] | None = None,
) -> FastAPI:
    """An app without routes but its documentation. Add routers made by `shared.http.auth.router`, with `include_router`.

    What may change at run time sits in `app.state`: `tokens`, `rates`. Nothing redirects: an address that is not exactly
    a route's is 404, for a redirect would repeat it.
    """
    app = FastAPI(title=title, version=version, openapi_url=None, lifespan=lifespan, redirect_slashes=False, telemetry=_NO_TELEMETRY)
    app.router.route_class = GuardedRoute
    app.state.tokens, app.state.rates = tokens, rates
    problems.install(app)
    app.add_middleware(BodyLimits, limits=limits or Limits())
    app.include_router(docs_router(app))

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _described(get_openapi(title=title, version=version, routes=app.routes))
        return app.openapi_schema

    app.__dict__["openapi"] = openapi  # FastAPI's documented way to extend its document
    return app


def _described(document: dict[str, Any]) -> dict[str, Any]:
    """FastAPI describes validation errors as its own shape; ours are all problems."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = _PROBLEM_SCHEMA
    for operations in document.get("paths", {}).values():
        for operation in operations.values():
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = _PROBLEM_ANSWER
    return document
