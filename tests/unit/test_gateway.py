"""The gateway: what it hands on is what was asked and answered, and a service that is away is said plainly."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from aiohttp import web
from fastapi import FastAPI

from services.runtime.front import LIMITS, front_app, tokens_of
from services.runtime.gateway import Gateway, gateway_app
from services.runtime.node import Node
from services.runtime.processes import MODULES, load
from services.runtime.serving import addresses, serve
from shared.errors import Invalid
from shared.http import problems
from shared.http.hot import HotPaths
from shared.settings import Settings


@pytest.fixture
async def service() -> AsyncIterator[tuple[str, list[web.Request]]]:
    """An address that answers everything by telling what it was asked, and what it was asked."""
    asked: list[web.Request] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        asked.append(request)
        headers = {"ETag": '"7"', "X-Length": str(len(body)), "Content-Type": "application/x-ndjson"}
        return web.Response(status=200 if request.path == "/health/ready" else 201, body=b'{"a":1}\n' * 3, headers=headers)

    app = web.Application(client_max_size=1 << 30)
    app.router.add_route("*", "/{rest:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", asked
    await runner.cleanup()


@pytest.fixture
async def client(service: tuple[str, list[web.Request]]) -> AsyncIterator[httpx.AsyncClient]:
    gateway = Gateway({"one": service[0], "gone": "http://127.0.0.1:9"})
    app = FastAPI()
    app.router.routes[:0] = [gateway.route("/v1/things/{id}", {"GET", "POST"}, "one"), gateway.route("/v1/gone", {"GET"}, "gone")]
    problems.install(app)
    whole = HotPaths(app, {("POST", "/v1/hot"): gateway.hot("one"), ("GET", "/v1/hot"): gateway.hot("gone")}, LIMITS)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=whole), base_url="http://gateway") as made:
        yield made
    await gateway.close()


@pytest.mark.parametrize("path", ["/v1/things/a%3Ab%20c", "/v1/hot"])
async def test_what_is_asked_and_answered_passes_as_it_is(
    client: httpx.AsyncClient, service: tuple[str, list[web.Request]], path: str
) -> None:
    headers = {"Authorization": "Bearer x", "Idempotency-Key": "k", "Content-Type": "text/csv", "Connection": "close"}
    answer = await client.post(f"{path}?q=%C3%A9&q=2", content=b"x" * 300_000, headers=headers)
    assert (answer.status_code, answer.headers["etag"], answer.headers["x-length"]) == (201, '"7"', "300000")
    assert answer.text == '{"a":1}\n' * 3
    (asked,) = service[1]
    assert asked.raw_path == f"{path}?q=%C3%A9&q=2"
    assert {asked.headers[name] for name in ("Authorization", "Idempotency-Key", "Content-Type")} == {"Bearer x", "k", "text/csv"}
    assert asked.headers["Host"] != "gateway"


@pytest.mark.parametrize("path", ["/v1/things/1", "/v1/hot"])
async def test_a_body_of_unknown_length_passes(client: httpx.AsyncClient, path: str) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield b"y" * 10_000

    answer = await client.post(path, content=parts())
    assert answer.headers["x-length"] == "500000"


@pytest.mark.parametrize("path", ["/v1/gone", "/v1/hot"])
async def test_a_service_that_is_away_is_503(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")


async def test_readiness_names_who_is_missing(service: tuple[str, list[web.Request]]) -> None:
    gateway, unready = Gateway({"one": service[0], "gone": "http://127.0.0.1:9"}), ["one", "gone"]
    watching = asyncio.create_task(gateway.watch(unready))
    async with asyncio.timeout(10):
        while len(unready) == 2:
            await asyncio.sleep(0.01)
    watching.cancel()
    await gateway.close()
    assert unready == ["gone"]


async def test_every_path_of_every_service_goes_to_it(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    node = Node(settings, load(MODULES), "gateway")
    gateway = Gateway(dict.fromkeys(MODULES, "http://127.0.0.1:9"))
    tokens = tokens_of(settings)
    app = gateway_app(node, tokens, list, gateway)
    documented = front_app(node, tokens, list).openapi()["paths"]
    own = {"/v1/tokens", "/v1/journal/verification", "/v1/journal/heads"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://gateway") as client:
        assert (await client.get("/openapi.json")).json()["paths"].keys() == documented.keys()
        for path, operations in documented.items():
            if path in own or path.startswith(("/health", "/v1/dead-letters")):
                continue
            for method in operations:
                answer = await client.request(method, path.replace("{", "").replace("}", ""))
                assert answer.status_code == 503, (method, path, answer.status_code)
    await gateway.close()
    await node.close()


def test_an_address_is_needed_of_every_service() -> None:
    whole = ",".join(f"{name}=http://127.0.0.1:1/" for name in MODULES)
    assert addresses(whole) == dict.fromkeys(MODULES, "http://127.0.0.1:1")
    with pytest.raises(Invalid) as refused:
        addresses("onboarding=http://127.0.0.1:1")
    assert {error["message"] for error in refused.value.errors} == {f"{name} is missing" for name in MODULES if name != "onboarding"}


@pytest.mark.parametrize(
    ("name", "settings", "told"),
    [
        ("screening", Settings(), "distributed runtime"),
        ("nothing", Settings(bus="kafka://127.0.0.1:9", store="mongodb://127.0.0.1:9"), "There is no such service"),
    ],
)
def test_serve_says_what_it_needs(name: str, settings: Settings, told: str) -> None:
    with pytest.raises(Invalid, match=told):
        serve(settings, name, None, print)
