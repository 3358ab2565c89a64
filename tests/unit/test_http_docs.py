"""Pages of items, and pages for people: documentation without a network."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest

from shared.http.application import create_app
from shared.http.auth import PUBLIC, requires, router
from shared.http.pages import Page, PageAsked, cursor_after, page
from shared.security.roles import Permission, Principal
from shared.security.tokens import LocalIssuer

Get = Callable[[str], httpx.Response]


@pytest.fixture
def get(tmp_path: Path) -> Get:
    app = create_app("Test <1>", "1", LocalIssuer(tmp_path))
    routes = router("/v1", tag="things")

    @routes.get("/things", response_model=Page[str], dependencies=[PUBLIC])
    async def things(asked: PageAsked) -> Any:
        after = asked.after(str, int)
        return page([str(after), str(asked.limit)], cursor_after("x", 2) if after is None else None)

    @routes.post("/things")
    async def add(body: dict[str, int], caller: Annotated[Principal, requires(Permission.SUPPLIERS_WRITE)]) -> None: ...

    app.include_router(routes)

    def call(path: str) -> httpx.Response:
        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
                return await client.get(path)

        return asyncio.run(ask())

    return call


def test_pages(get: Get) -> None:
    first = get("/v1/things").json()
    assert first["items"] == ["None", "50"]
    assert get(f"/v1/things?limit=500&cursor={first['next']}").json() == {"items": ["('x', 2)", "500"], "next": None}


def test_documentation_works_offline(get: Get) -> None:
    answer = get("/docs")
    assert "://" not in answer.text
    assert "Test &lt;1&gt;" in answer.text
    assert "script-src 'self';" in answer.headers["Content-Security-Policy"]
    assert "<script>" not in answer.text, "inline scripts would need a wider policy"
    for name in ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png", "start.js"):
        assert f"docs/assets/{name}" in answer.text
        assert len(get(f"/docs/assets/{name}").content) > 200
        assert get(f"/docs/assets/{name}").headers["X-Content-Type-Options"] == "nosniff"


def test_openapi_describes_tokens_and_problems(get: Get) -> None:
    document = get("/openapi.json").json()
    assert set(document["paths"]) == {"/v1/things"}
    post = document["paths"]["/v1/things"]["post"]
    assert post["security"] == [{"bearer": []}]
    assert "422" not in post["responses"]
    assert "application/problem+json" in post["responses"]["default"]["content"]
    assert "Problem" in document["components"]["schemas"]
    assert "security" not in document["paths"]["/v1/things"]["get"]
