"""/openapi.json, and /docs: a page made from it here, without scripts and without other hosts."""

from pathlib import Path
from typing import Any

import orjson
from fastapi import FastAPI, Response

from services.gateway.reference import render

_HEADERS = {"content-security-policy": "default-src 'self'"}


def add_documentation(app: FastAPI, document: dict[str, Any]) -> None:
    """Serves an OpenAPI document, rendered once."""
    as_json = orjson.dumps(document, option=orjson.OPT_INDENT_2)
    as_page = render(document)
    style = Path(__file__).with_name("reference.css").read_text(encoding="utf-8")

    @app.get("/openapi.json", include_in_schema=False)
    async def openapi() -> Response:
        return Response(as_json, media_type="application/json")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return Response(as_page, media_type="text/html", headers=_HEADERS)

    @app.get("/docs/reference.css", include_in_schema=False)
    async def reference_style() -> Response:
        return Response(style, media_type="text/css")
