"""The way around the framework answers as the framework does: the same permissions, limits and problems."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from shared.errors import Malformed
from shared.http.application import create_app
from shared.http.auth import guarded
from shared.http.hot import HotPaths
from shared.http.limits import Limits, Rates
from shared.security.roles import Permission, Principal, Role
from shared.security.tokens import LocalIssuer

LIMITS = Limits(body=1000)
MARK = "zzmarkerzz"


@guarded(Permission.GATE_ASK)
async def echo_length(request: Request, caller: Principal) -> Response:
    body = await request.body()
    if body.startswith(b"?"):
        raise Malformed("Not a question")
    if body.startswith(b"!"):
        raise KeyError(body.decode())
    return JSONResponse({"subject": caller.subject, "length": len(body)})


def both(folder: Path, **more: Any) -> tuple[FastAPI, HotPaths]:
    """The same endpoint as a route of the framework, and around it."""
    app = create_app("Test", "1", LocalIssuer(folder), limits=LIMITS, **more)
    app.router.routes.append(Route("/v1/decisions", echo_length, methods=["POST"]))
    bare = create_app("Test", "1", LocalIssuer(folder), limits=LIMITS, **more)
    return app, HotPaths(bare, {("POST", "/v1/decisions"): echo_length}, LIMITS)


def token(app: FastAPI, role: Role) -> str:
    return str(app.state.tokens.mint(Principal(subject="ada", tenant="default", roles=frozenset({role})), 60))


async def chunks() -> AsyncIterator[bytes]:
    for _ in range(20):
        yield b"a" * 100


def ask(app: ASGIApp, method: str = "POST", path: str = "/v1/decisions", **more: Any) -> httpx.Response:
    async def call() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            return await client.request(method, path, **more)

    return asyncio.run(call())


@pytest.mark.parametrize(
    ("status", "role", "content"),
    [
        (200, Role.BUYER, b"x" * 1000),
        (200, Role.BUYER, b""),
        (403, Role.REPORTER, b"x"),
        (401, None, b"x"),
        (413, Role.BUYER, b"x" * 1001),
        (400, Role.BUYER, b"?" + MARK.encode()),
        (500, Role.BUYER, b"!" + MARK.encode()),
    ],
)
def test_both_ways_answer_alike(tmp_path: Path, status: int, role: Role | None, content: bytes) -> None:
    app, around = both(tmp_path)
    headers = {"Authorization": f"Bearer {token(app, role)}"} if role else {}
    one, other = (ask(way, content=content, headers=headers) for way in (app, around))
    assert one.status_code == other.status_code == status
    assert MARK not in other.text
    assert one.headers.get("WWW-Authenticate") == other.headers.get("WWW-Authenticate")
    assert {**one.json(), "id": ""} == {**other.json(), "id": ""}  # the id of an unexpected error is its own
    assert one.headers["content-type"] == other.headers["content-type"]


def test_a_body_of_undeclared_length_is_cut(tmp_path: Path) -> None:
    app, around = both(tmp_path)
    headers = {"Authorization": f"Bearer {token(app, Role.BUYER)}"}
    assert [ask(way, content=chunks(), headers=headers).status_code for way in (app, around)] == [413, 413]


def test_over_the_rate_both_ways_count_together(tmp_path: Path) -> None:
    app, _ = both(tmp_path, rates=Rates(0.1, 2))
    around = HotPaths(app, {("POST", "/v1/decisions"): echo_length}, LIMITS)
    headers = {"Authorization": f"Bearer {token(app, Role.BUYER)}"}
    answers = [ask(way, content=b"x", headers=headers) for way in (app, around, around)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 10


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/decisions"), ("POST", "/v1/decisions/"), ("GET", "/v1/none"), ("GET", "/docs")])
def test_all_else_is_the_frameworks(tmp_path: Path, method: str, path: str) -> None:
    _, around = both(tmp_path)
    assert ask(around, method, path).status_code == (200 if path == "/docs" else 404)
