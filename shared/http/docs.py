"""API pages that work offline: Swagger UI from an installed package, nothing from anywhere else."""

import html
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.responses import FileResponse, Response
from swagger_ui_bundle import swagger_ui_path

from shared.errors import NotFound
from shared.http.auth import PUBLIC, router

# Swagger UI sets inline styles and has icons as data addresses; scripts are files of ours only.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_ASSETS = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<link rel="stylesheet" href="docs/assets/swagger-ui.css"><link rel="icon" href="docs/assets/favicon-32x32.png"></head>
<body><div id="swagger-ui"></div>
<script src="docs/assets/swagger-ui-bundle.js"></script><script src="docs/assets/start.js"></script></body></html>
"""
# The packaged Swagger UI (4.15) refuses documents that call themselves OpenAPI 3.1, yet draws what FastAPI writes.
_START = """fetch("openapi.json").then((answer) => answer.json()).then((spec) => {
  spec.openapi = "3.0.3";
  SwaggerUIBundle({spec, dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null, docExpansion: "none",
    presets: [SwaggerUIBundle.presets.apis], tryItOutEnabled: true});
});
"""


def docs_router(app: FastAPI) -> APIRouter:
    """`/docs`, its assets and `/openapi.json` of an app; public, for a browser sends no token for a page."""
    routes = router()

    @routes.get("/openapi.json", include_in_schema=False, dependencies=[PUBLIC])
    async def openapi() -> dict[str, Any]:
        return app.openapi()

    @routes.get("/docs", include_in_schema=False, dependencies=[PUBLIC])
    async def page() -> Response:
        return Response(_PAGE.format(title=html.escape(app.title)), headers=_HEADERS, media_type="text/html")

    @routes.get("/docs/assets/{name}", include_in_schema=False, dependencies=[PUBLIC])
    async def asset(name: str) -> Response:
        if name == "start.js":
            return Response(_START, headers=_HEADERS, media_type="text/javascript")
        if name not in _ASSETS:
            raise NotFound
        return FileResponse(swagger_ui_path / name, headers=_HEADERS, media_type=_ASSETS[name])

    return routes
