"""The pages of the shop and of the console. They are files; what is on them comes from the API."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles

WEB = Path(__file__).resolve().parents[2] / "web"

_PAGES = (
    "/",
    "/items/{item_id}",
    "/categories",
    "/categories/{path}",
    "/search",
    "/cart",
    "/history",
    "/preferences",
    "/account",
    "/account/{step}",
)
_CONSOLE_PAGES = ("/console", "/console/{page}")
_HEADERS = {
    # Pictures of items may lie anywhere; all else comes from here.
    "content-security-policy": "default-src 'self'; img-src 'self' https: http: data:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",  # asked for again each time; unchanged files are not sent again
}


def storefront_routes(web: Path = WEB) -> Callable[[FastAPI], None]:
    """Adds the pages and the files that they are made of."""

    def add(app: FastAPI) -> None:
        for path in _PAGES:
            app.add_route(path, _page(web / "shop.html"), include_in_schema=False)
        for path in _CONSOLE_PAGES:
            app.add_route(path, _page(web / "console" / "console.html"), include_in_schema=False)
        app.mount("/static", StaticFiles(directory=web), name="static")

    return add


def _page(file: Path) -> Callable[[Request], Awaitable[Response]]:
    async def page(_: Request) -> Response:
        return FileResponse(file, media_type="text/html", headers=_HEADERS)

    return page
