"""/openapi.json, and /docs: a page made from it here, without scripts and without other hosts."""

from functools import cache
from pathlib import Path
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response

from services.gateway.openapi import describe
from services.gateway.reference import render

_HEADERS = {"content-security-policy": "default-src 'self'"}


def add_documentation(app: FastAPI) -> None:
    """Serves what the routes of `app` describe, made when it is first asked for.

    Making it takes 0.1 s: the routes are functions without `async`, which run beside the loop.
    """

    @cache
    def document() -> dict[str, Any]:
        return describe(app)

    @app.get("/openapi.json", include_in_schema=False)
    def openapi() -> Response:
        body = orjson.dumps(document(), option=orjson.OPT_INDENT_2)
        return Response(body, media_type="application/json")

    @app.get("/docs", include_in_schema=False)
    def docs(request: Request) -> Response:
        origin = f"{request.url.scheme}://{request.url.netloc}"
        return Response(render(document(), origin), media_type="text/html", headers=_HEADERS)

    @app.get("/docs/reference.css", include_in_schema=False)
    def reference_style() -> Response:
        style = Path(__file__).with_name("reference.css").read_text(encoding="utf-8")
        return Response(style, media_type="text/css")
