"""What is seen of requests: how long each route takes, and the server span; nothing of what was asked, nor by whom."""

import asyncio
from pathlib import Path

import httpx
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.runtime.metrics import metrics
from services.runtime.operations import health
from shared.http.application import create_app
from shared.http.auth import PUBLIC, guarded, router
from shared.http.hot import HotPaths
from shared.http.limits import Limits
from shared.http.telemetry import Observed
from shared.security.roles import Permission, Principal
from shared.security.tokens import LocalIssuer
from shared.telemetry import exposition, tracing
from shared.telemetry.instruments import REGISTRY
from tests.traced import PARENT, spans

__all__ = ["spans"]


def observed(folder: Path) -> Observed:
    routes = router("/v1/seen")

    @routes.get("/{name}", dependencies=[PUBLIC])
    async def read(name: str, q: str = "") -> dict[str, str]:
        if name == "broken":
            raise KeyError(name)
        return {"traceparent": tracing.current()}

    @guarded(Permission.GATE_ASK)
    async def decide(_request: Request, _caller: Principal) -> Response:
        return JSONResponse({})

    async def text() -> bytes:
        return exposition.own()

    app = create_app("Test", "1", LocalIssuer(folder))
    for one in (routes, health(lambda: ["store"]), metrics(text)):
        app.include_router(one)
    return Observed(HotPaths(app, {("POST", "/v1/hot"): decide}, Limits()))


def ask(app: Observed, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    async def call() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.request(method, path, headers=headers)

    return asyncio.run(call())


def count(method: str, route: str, status: int) -> float:
    labels = {"http_request_method": method, "http_route": route, "http_response_status_code": str(status)}
    return REGISTRY.get_sample_value("http_server_request_duration_seconds_count", labels) or 0.0


@pytest.mark.parametrize(
    ("path", "method", "route", "status"),
    [
        ("/v1/seen/ada?q=secret", "GET", "/v1/seen/{name}", 200),
        ("/v1/seen/broken", "GET", "/v1/seen/{name}", 500),
        ("/v1/hot", "POST", "/v1/hot", 401),
        ("/v1/whatever/somebody/tries", "GET", "none", 404),
    ],
)
def test_each_route_is_counted_by_its_template(tmp_path: Path, path: str, method: str, route: str, status: int) -> None:
    app, before = observed(tmp_path), count(method, route, status)
    assert ask(app, path, method).status_code == status
    assert count(method, route, status) == before + 1
    assert "ada" not in exposition.own().decode()


def test_a_method_that_is_none_makes_no_series_of_its_own(tmp_path: Path) -> None:
    ask(observed(tmp_path), "/v1/seen/x", "BREW")
    assert "BREW" not in exposition.own().decode()


def test_metrics_need_no_token_and_tell_readiness(tmp_path: Path) -> None:
    answer = ask(observed(tmp_path), "/metrics")
    assert answer.headers["content-type"] == exposition.CONTENT_TYPE
    assert "\nduewatch_ready 0.0\n" in answer.text


def test_a_request_is_a_step_below_its_callers(tmp_path: Path, spans: InMemorySpanExporter) -> None:
    answer = ask(observed(tmp_path), "/v1/seen/ada?q=secret", traceparent=PARENT, **{"user-agent": "secret"})
    (span,) = spans.get_finished_spans()
    assert span.context is not None
    assert span.parent is not None
    assert (span.name, f"{span.parent.span_id:016x}") == ("GET /v1/seen/{name}", PARENT[36:52])
    assert answer.json()["traceparent"] == f"{PARENT[:35]}-{span.context.span_id:016x}-01"
    assert span.attributes == {
        "http.request.method": "GET", "url.scheme": "http", "http.route": "/v1/seen/{name}", "http.response.status_code": 200,
    }  # fmt: skip
    assert "secret" not in span.to_json()


def test_ours_are_errors_theirs_are_not(tmp_path: Path, spans: InMemorySpanExporter) -> None:
    app = observed(tmp_path)
    ask(app, "/v1/seen/broken")
    ask(app, "/v1/none")
    ours, theirs = spans.get_finished_spans()
    assert (ours.status.is_ok, theirs.status.is_ok, theirs.name) == (False, True, "GET")


def test_who_asks_for_health_makes_no_trace(tmp_path: Path, spans: InMemorySpanExporter) -> None:
    for path in ("/health/live", "/health/ready", "/metrics"):
        ask(observed(tmp_path), path)
    assert spans.get_finished_spans() == ()
