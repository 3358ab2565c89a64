"""An app as services have it: who may call, what errors look like, and that they repeat nothing of the input."""

import asyncio
import json
from pathlib import Path
from typing import Annotated, Any, Literal

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request
from pydantic import Field
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shared.errors import Conflict
from shared.http.application import Body, create_app
from shared.http.auth import PUBLIC, guarded, requires, router, unguarded_routes
from shared.http.idempotency import IdempotencyAsked, VersionAsked
from shared.http.limits import Rates
from shared.http.pages import Page, PageAsked, cursor_after, page
from shared.http.strings import Country, HsCode, Name, Percent, Region, Text
from shared.security.roles import Permission, Principal, Role
from shared.security.tokens import LocalIssuer

MARK = "zzmarkerzz"


class Client:
    """Calls an app in this thread, each request in an event loop of its own."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def call() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self._app), base_url="http://test") as client:
                return await client.request(method, path, **more)

        return asyncio.run(call())

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.request("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self.request("POST", path, **more)

    def patch(self, path: str, **more: Any) -> httpx.Response:
        return self.request("PATCH", path, **more)


class Owner(Body):
    name: Name
    kind: Literal["person", "organisation"]
    percent: Percent | None = None


class Supplier(Body):
    name: Name
    country: Country
    region: Region | None = None
    hs: HsCode | None = None
    note: Text | None = None
    owners: list[Owner] = Field(default_factory=list)
    labels: dict[str, int] = Field(default_factory=dict)
    amount: int | None = None


def make_app(folder: Path, **settings: Any) -> FastAPI:
    app = create_app("Test", "1", LocalIssuer(folder), **settings)
    routes = router("/v1", tag="suppliers")

    @routes.post("/suppliers", status_code=201)
    async def add(body: Supplier, caller: Annotated[Principal, requires(Permission.SUPPLIERS_WRITE)],
                  idempotency: IdempotencyAsked) -> dict[str, Any]:  # fmt: skip
        percents = [owner.percent for owner in body.owners]
        return {"tenant": caller.tenant, "name": body.name, "percents": percents,
                "digest": idempotency.digest if idempotency else None}  # fmt: skip

    @routes.get("/suppliers", response_model=Page[str])
    async def listing(asked: PageAsked, caller: Annotated[Principal, requires(Permission.SUPPLIERS_READ)]) -> Any:
        after = asked.after(str, int)
        return page([str(after), str(asked.limit)], cursor_after("x", 2) if after is None else None)

    @routes.patch("/suppliers/{supplier_id}")
    async def change(supplier_id: int, version: VersionAsked,
                     caller: Annotated[Principal, requires(Permission.SUPPLIERS_WRITE, Permission.CASES_WRITE)]) -> Any:  # fmt: skip
        if version == 409:
            raise Conflict("It stands otherwise", errors=[{"field": "x", "message": "y"}])
        return version

    @routes.get("/broken", dependencies=[PUBLIC])
    async def broken(request: Request) -> None:
        raise KeyError(request.headers["x-secret"])

    @guarded(Permission.GATE_ASK)
    async def gate(request: Request, caller: Principal) -> Response:
        return JSONResponse({"subject": caller.subject, "got": len(await request.body())})

    app.include_router(routes)
    app.router.routes.append(Route("/v1/decisions", gate, methods=["POST"]))
    return app


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    return make_app(tmp_path)


@pytest.fixture
def client(app: FastAPI) -> Client:
    return Client(app)


def bearer(app: FastAPI, *roles: Role, tenant: str = "default") -> dict[str, str]:
    caller = Principal(subject="ada", tenant=tenant, roles=frozenset(roles))
    return {"Authorization": "Bearer " + app.state.tokens.mint(caller, 60)}


@pytest.fixture
def buyer(app: FastAPI) -> dict[str, str]:
    return bearer(app, Role.BUYER)


def refused(answer: httpx.Response, status: int) -> dict[str, Any]:
    """A problem document of this status that repeats nothing of what was sent."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert MARK not in answer.text + str(answer.headers)
    assert len(answer.content) < 10_000
    document: dict[str, Any] = answer.json()
    assert document["status"] == status
    assert {"type", "title"} <= document.keys()
    return document


def test_permission_comes_before_the_body(client: Client, app: FastAPI, buyer: dict[str, str]) -> None:
    analyst = bearer(app, Role.ANALYST)
    for path in ("/v1/suppliers", "/v1/decisions"):
        garbage = '{"name": "' + MARK
        assert "WWW-Authenticate" in client.post(path, content=garbage).headers
        refused(client.post(path, content=garbage), 401)
        refused(client.post(path, content=garbage, headers={"Authorization": "Bearer " + MARK}), 401)
        refused(client.post(path, content=garbage, headers=analyst), 403)
    refused(client.post("/v1/suppliers", content='{"name": "' + MARK, headers={**buyer, "Content-Type": "application/json"}), 400)


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ", "Basic abc", "Bearer é", "Token x", "bearer x y"])
def test_other_authorization_headers(client: Client, value: str) -> None:
    refused(client.get("/v1/suppliers", headers={"Authorization": value.encode()}), 401)


def test_two_authorization_headers_are_none(client: Client, buyer: dict[str, str]) -> None:
    value = buyer["Authorization"]
    assert client.get("/v1/suppliers", headers=[("Authorization", value)]).status_code == 200
    refused(client.get("/v1/suppliers", headers=[("Authorization", value), ("Authorization", value)]), 401)


def test_nobody_is_asked_for_a_body_that_would_be_refused(app: FastAPI) -> None:
    """The body is never read: a receive that fails shows it."""

    async def never() -> Any:
        raise AssertionError("the body was read")

    async def call() -> list[Any]:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/v1/suppliers", "query_string": b"", "headers": [(b"content-length", b"9")]}
        await app({**scope, "raw_path": b"/v1/suppliers", "root_path": "", "http_version": "1.1", "scheme": "http"}, never, send)
        return sent

    assert asyncio.run(call())[0]["status"] == 401


def test_a_route_without_a_rule_cannot_be_made() -> None:
    routes = router("/v1")
    with pytest.raises(TypeError):
        routes.get("/open")(lambda: None)
    with pytest.raises(ValueError, match="permission"):
        requires()


def test_every_route_is_guarded_or_public(app: FastAPI) -> None:
    assert unguarded_routes(app) == []
    forgotten = APIRouter()
    forgotten.get("/forgotten")(lambda: None)
    app.include_router(forgotten, prefix="/v1")
    app.mount("/files", FastAPI())
    assert unguarded_routes(app) == ["/v1/forgotten", "/files"]


BODIES: dict[str, tuple[Any, int]] = {
    "broken": ('{"name": "' + MARK, 400),
    "deep": ('{"name":' + "[" * 100_000 + "]" * 100_000 + "}", 400),
    "huge number": ('{"name": "x", "amount": ' + "9" * 5000 + "}", 400),
    "not UTF-8": (b'{"name": "\xff\xfe"}', 400),
    "not an object": (json.dumps([MARK]), 422),
    "nothing": ("", 422),
    "wrong types": (json.dumps({"name": [MARK], "country": 7}), 422),
    "unknown field": (json.dumps({"name": "A", "country": "DE", MARK: 1}), 422),
    "unknown inner field": (json.dumps({"name": "A", "country": "DE", "owners": [{"name": "B", "kind": "person", MARK: 1}]}), 422),
    "many unknown fields": (json.dumps({"name": "A", "country": "DE", **{f"{MARK}{n}": n for n in range(5000)}}), 422),
    "key of a mapping": (json.dumps({"name": "A", "country": "DE", "labels": {MARK: "x"}}), 422),
    "many wrong owners": (json.dumps({"name": "A", "country": "DE", "owners": [{MARK: 1}] * 5000}), 422),
    "NUL": (json.dumps({"name": f"A\0{MARK}", "country": "DE"}), 422),
    "half a surrogate": ('{"name": "\\ud800' + MARK + '", "country": "DE"}', 422),
    "bidi": (json.dumps({"name": f"A\u202e{MARK}", "country": "DE"}), 422),
    "unknown country": (json.dumps({"name": "A", "country": "ZZ"}), 422),
    "percent": (json.dumps({"name": "A", "country": "DE", "owners": [{"name": "B", "kind": MARK, "percent": "250"}]}), 422),
    "percent NaN": ('{"name": "A", "country": "DE", "owners": [{"name": "B", "kind": "person", "percent": NaN}]}', 422),
    "percent true": (json.dumps({"name": "A", "country": "DE", "owners": [{"name": "B", "kind": "person", "percent": True}]}), 422),
    "long name": (json.dumps({"name": MARK * 10_000, "country": "DE"}), 422),
    "number out of range": ('{"name": "A", "country": "DE", "amount": 1e400}', 422),
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_bad_bodies_are_problems(client: Client, buyer: dict[str, str], name: str) -> None:
    body, status = BODIES[name]
    document = refused(client.post("/v1/suppliers", content=body, headers={**buyer, "Content-Type": "application/json"}), status)
    if status == 422:
        assert all(error["field"] and error["message"] for error in document["errors"])
        assert len(document["errors"]) <= 20


def test_faults_name_their_fields(client: Client, buyer: dict[str, str]) -> None:
    body = {"name": "", "country": "ZZ", "hs": "1", "owners": [{"name": "B", "kind": "person", "percent": "101"}], MARK: 1}
    found = refused(client.post("/v1/suppliers", json=body, headers=buyer), 422)["errors"]
    assert [error["field"] for error in found] == ["name", "country", "hs", "owners.0.percent", "body"]
    assert found[0]["message"] == "1 to 500 characters"


def test_a_good_body(client: Client, buyer: dict[str, str]) -> None:
    owners = [{"name": " B\u0065\u0301 ", "kind": "person", "percent": value} for value in ("51.0", 25, 0.5)]
    answer = client.post("/v1/suppliers", json={"name": " Näme Ltd ", "country": "de", "owners": owners}, headers=buyer)
    assert answer.status_code == 201
    assert answer.json() == {"tenant": "default", "name": "Näme Ltd", "percents": ["51.0", "25", "0.5"], "digest": None}


@pytest.mark.parametrize(("method", "path", "status"), [
    ("GET", "/v1/" + MARK, 404), ("DELETE", "/v1/suppliers", 405), ("GET", "/v1/suppliers/", 404),
    ("PATCH", "/v1/suppliers/" + MARK, 422), ("GET", "/v1/suppliers?limit=0", 422), ("GET", "/v1/suppliers?limit=501", 422),
    ("GET", "/v1/suppliers?cursor=" + MARK, 400), ("GET", "/v1/suppliers?cursor=" + MARK * 200, 422),
    ("GET", "/docs/assets/" + MARK, 404), ("GET", "/docs/assets/..%2f__init__.py", 404),
])  # fmt: skip
def test_addresses_that_lead_nowhere(client: Client, buyer: dict[str, str], method: str, path: str, status: int) -> None:
    refused(client.request(method, path, headers=buyer), status)


def test_our_errors_and_any_of_several_permissions(client: Client, app: FastAPI) -> None:
    headers = bearer(app, Role.CASE_WORKER)
    assert client.patch("/v1/suppliers/1", headers={**headers, "If-Match": '"7"'}).json() == 7
    document = refused(client.patch("/v1/suppliers/1", headers={**headers, "If-Match": '"409"'}), 409)
    assert document == {"type": "urn:duewatch:problem:conflict", "title": "Conflict with what stands already", "status": 409,
                        "detail": "It stands otherwise", "errors": [{"field": "x", "message": "y"}]}  # fmt: skip
    refused(client.patch("/v1/suppliers/1", headers={**headers, "If-Match": '"x"'}), 412)


def test_a_bug_is_500_with_an_id_and_its_text_stays_out_of_the_log(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    document = refused(client.get("/v1/broken", headers={"x-secret": MARK}), 500)
    records = [record for record in caplog.records if record.name == "duewatch.http"]
    assert [record.__dict__["id"] for record in records] == [document["id"]]
    assert records[0].__dict__["error"] == "KeyError"
    assert MARK not in caplog.text + str([record.__dict__ for record in records])


def test_idempotency_key(client: Client, buyer: dict[str, str]) -> None:
    def digest(body: str, key: str = "k") -> httpx.Response:
        headers = {**buyer, "Idempotency-Key": key, "Content-Type": "application/json"}
        return client.post("/v1/suppliers", content=body, headers=headers)

    one = digest('{"name": "A", "country": "DE"}').json()["digest"]
    assert len(one) == 64
    assert digest('{ "country":"DE","name":"A" }').json()["digest"] == one
    assert digest('{"name": "B", "country": "DE"}').json()["digest"] != one
    refused(digest("{}", "x" * 201), 400)


def test_over_the_rate(tmp_path: Path) -> None:
    app = make_app(tmp_path, rates=Rates(0.1, 3))
    client, mine, other = Client(app), bearer(app, Role.BUYER), bearer(app, Role.BUYER, tenant="other")
    assert [client.get("/v1/suppliers", headers=mine).status_code for _ in range(4)] == [200, 200, 200, 429]
    assert 1 <= int(client.get("/v1/suppliers", headers=mine).headers["Retry-After"]) <= 10
    refused(client.get("/v1/suppliers", headers=mine), 429)
    assert client.get("/v1/suppliers", headers=other).status_code == 200


def test_an_app_may_be_mounted(tmp_path: Path, app: FastAPI) -> None:
    outer = create_app("Outer", "1", LocalIssuer(tmp_path / "outer"))
    outer.mount("/inner", app)
    client = Client(outer)
    assert client.get("/inner/v1/suppliers", headers=bearer(app, Role.BUYER)).status_code == 200
    refused(client.get("/inner/v1/suppliers", headers=bearer(outer, Role.BUYER)), 401)
