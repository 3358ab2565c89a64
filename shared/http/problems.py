"""Every error leaves as `application/problem+json` (RFC 9457), and none repeats anything of what was sent.

That is why nothing of an exception's own text is used here, but for our own errors, whose texts we wrote.
"""

import errno
import logging
import secrets
import traceback
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import NOT_STORED, DuewatchError, Malformed, Unauthenticated, Unavailable, Unsupported
from shared.http.fields import known_names

logger = logging.getLogger("duewatch.http")

PRINCIPAL_KEY = "duewatch.principal"  # of a scope: who calls, once that is known
MEDIA_TYPE = "application/problem+json"
_MAX_ERRORS = 20
_MAX_FIELD_CHARS, _MAX_MESSAGE_CHARS = 100, 200

_CODES = {cls.status: cls for cls in DuewatchError.__subclasses__() if cls.__module__ == DuewatchError.__module__}
_MESSAGES = {  # by Pydantic's error type; {} are limits from our own models, never input
    "missing": "This is required",
    "extra_forbidden": "A field of a name that is unknown here",
    "json_invalid": "Not valid JSON",
    "string_type": "Must be text",
    "string_pattern_mismatch": "Must be of the form {pattern}",
    "string_too_short": "At least {min_length} characters",
    "string_too_long": "At most {max_length} characters",
    "too_short": "At least {min_length} items",
    "too_long": "At most {max_length} items",
    "int_type": "Must be a whole number",
    "int_parsing": "Must be a whole number",
    "bool_type": "Must be true or false",
    "bool_parsing": "Must be true or false",
    "decimal_type": "Must be a number",
    "decimal_parsing": "Must be a number",
    "list_type": "Must be a list",
    "dict_type": "Must be an object",
    "model_attributes_type": "Must be an object",
    "greater_than_equal": "At least {ge}",
    "greater_than": "More than {gt}",
    "less_than_equal": "At most {le}",
    "less_than": "Less than {lt}",
    "enum": "Must be {expected}",
    "literal_error": "Must be {expected}",
    "duewatch": "{message}",
}


def problem(
    status: int,
    code: str,
    title: str,
    detail: str = "",
    *,
    errors: list[dict[str, str]] | None = None,
    headers: dict[str, str] | None = None,
    problem_id: str | None = None,
) -> Response:
    """One problem document; at most 20 errors, and below 10 KB whatever they hold."""
    document: dict[str, Any] = {"type": f"urn:duewatch:problem:{code}", "title": title, "status": status}
    if detail and detail != title:
        document["detail"] = detail[:1000]
    if errors:
        document["errors"] = [
            {"field": one["field"][:_MAX_FIELD_CHARS], "message": one["message"][:_MAX_MESSAGE_CHARS]} for one in errors[:_MAX_ERRORS]
        ]
    if problem_id:
        document["id"] = problem_id
    return Response(orjson.dumps(document), status, headers, MEDIA_TYPE)


def of_error(error: DuewatchError) -> Response:
    """The problem of one of our own errors; `retry_after` of an error (seconds), where it has one, is told."""
    headers = {}
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="duewatch"'
    if (wait := getattr(error, "retry_after", None)) is not None:
        headers["Retry-After"] = str(wait)
    return problem(error.status, error.code, error.title, error.detail, errors=error.errors, headers=headers)


def of_status(status: int, headers: dict[str, str] | None = None) -> Response:
    """The problem of a bare HTTP status: the framework's own errors, whose texts may hold input."""
    if status in _CODES:
        return problem(status, _CODES[status].code, _CODES[status].title, headers=headers)
    phrase = HTTPStatus(status).phrase
    return problem(status, phrase.lower().replace(" ", "-"), phrase, headers=headers)


def install(app: FastAPI) -> None:
    """Makes problems of all errors of an app, those of unknown routes and of bugs among them."""
    app.add_exception_handler(DuewatchError, _ours)
    app.add_exception_handler(HTTPException, _framework)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_middleware(UnexpectedErrors)


class UnexpectedErrors:
    """Answers 500 to what nobody expected, with an id that stands in the log, too.

    The log gets the error's type and place but not its text, which often holds the value that it stumbled over.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except ClientDisconnect:
            logger.debug("client disconnected")
        except Exception as error:  # the last place that can answer at all
            problem_id = secrets.token_hex(8)
            places = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-8:]]
            tenant = getattr(scope.get(PRINCIPAL_KEY), "tenant", None)
            logger.error("unexpected error", extra={"id": problem_id, "tenant": tenant, "error": type(error).__name__, "at": places})
            if started:
                raise  # the server can only cut the connection; a cut answer must not look whole
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):  # an upload, say
                answer = of_error(Unavailable(NOT_STORED))
            else:
                answer = problem(500, DuewatchError.code, DuewatchError.title, "Tell us this id", problem_id=problem_id)
            await answer(scope, receive, send)


async def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, DuewatchError)
    return of_error(error)


async def _framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(_methods_of(request))
    return of_status(error.status_code, headers)


def _methods_of(request: Request) -> list[str]:
    """All that may be done here (RFC 9110, 15.5.6); the framework names those of the first route only, and each method is a route."""
    found = set[str]()
    for context in iter_route_contexts(request.app.routes):
        methods = getattr(context.original_route, "methods", None)
        if methods and compile_path(str(context.path))[0].match(request.scope["path"]):
            found |= methods
    return sorted(found)


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if any(one["type"] == "json_invalid" for one in found):
        return of_error(Malformed("The body is not valid JSON"))
    if not _says_json(request) and any(one["loc"] == ("body",) and one["type"] != "missing" for one in found):
        return of_error(Unsupported("Send JSON, and say so: Content-Type: application/json"))
    names = known_names(request.scope.get("route"))
    errors = list(_readable(found[: 5 * _MAX_ERRORS], names))[:_MAX_ERRORS]
    return problem(422, "invalid", "Invalid input", "Some fields break a rule", errors=errors)


def _says_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def _readable(found: Any, names: frozenset[str]) -> Iterator[dict[str, str]]:
    """Fields by names that our own models have; every other name is input (an unknown field, the key of a mapping)."""
    seen = set()
    for one in found:
        path = [str(part) for part in one["loc"][1:] if isinstance(part, int) or part in names]
        message = message_of(one)
        field = ".".join(path) or str(one["loc"][0])
        if (field, message) not in seen:
            seen.add((field, message))
            yield {"field": field, "message": message}


def message_of(error: Any) -> str:
    """What one of Pydantic's errors says in our words, without anything of the input."""
    template = _MESSAGES.get(error["type"], "This value is not valid here")
    try:
        return template.format_map(error.get("ctx", {}))
    except (KeyError, ValueError):
        return "This value is not valid here"
