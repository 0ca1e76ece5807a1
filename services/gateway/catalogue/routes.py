"""Browsing, searching and uploading over HTTP."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request, Response
from starlette.exceptions import HTTPException

from headrace.contracts.items import NewItem
from services.gateway.access import Access
from services.gateway.answers import authorization_of, json_answer, request_id
from services.gateway.catalogue.discovery import Discovery, FoundItem, FoundPage
from services.gateway.catalogue.lines import Format
from services.gateway.catalogue.models import (
    BrowseQuery,
    Categories,
    CategoriesQuery,
    FoundItems,
    SearchQuery,
    Suggestions,
    SuggestQuery,
    UnansweredQuery,
    UnansweredSearches,
    UploadReport,
    find_request,
)
from services.gateway.catalogue.upload import Upload
from services.gateway.keys import Scope
from services.gateway.openapi import operation

_FORMATS: dict[str, Format] = {
    "text/csv": "csv",
    "application/x-ndjson": "json_lines",
    "application/jsonl": "json_lines",
}
_CSV_EXAMPLE = """\
item_id,title,categories,tags,price,currency,attributes.year,text_attributes.brand
n-1,Chef's knife,Home > Kitchen > Knives,steel|new,49.90,EUR,2026,Mill & Race
"""
_LINES_EXAMPLE = """\
{"item_id": "n-1", "title": "Chef's knife", "price": {"amount": 4990, "currency": "EUR"}}
"""
_FILE: dict[str, Any] = {
    "required": True,
    "content": {
        "text/csv": {"schema": {"type": "string"}, "example": _CSV_EXAMPLE},
        "application/x-ndjson": {"schema": {"type": "string"}, "example": _LINES_EXAMPLE},
    },
}


def catalogue_routes(
    discovery: Discovery,
    store: Callable[[Sequence[NewItem]], Awaitable[object]],
    access: Access,
) -> Callable[[FastAPI], None]:
    """Adds them to an application.

    store: adds or replaces items with different ids, all or none.
    """

    def add(app: FastAPI) -> None:
        _finding(app, discovery, access)
        _browsing(app, discovery, access)
        _uploading(app, store, access)

    return add


def _finding(app: FastAPI, discovery: Discovery, access: Access) -> None:
    @app.get(
        "/v1/search",
        **operation("catalogue", 200, FoundItems, scope=Scope.READ, own=True, key_optional=True),
    )
    async def search(request: Request, query: Annotated[SearchQuery, Query()]) -> Response:
        """Search title, tags, categories and description. Needs a key where `user_id` is given."""
        if query.user_id is not None:
            access.require(authorization_of(request), Scope.READ, [query.user_id])
        asked = find_request(query, query.q)
        return _page(await discovery.find(asked, query.user_id))

    @app.get("/v1/suggest", **operation("catalogue", 200, Suggestions))
    async def suggest(query: Annotated[SuggestQuery, Query()]) -> Response:
        """Complete what is being typed: items whose titles have its words."""
        found = await discovery.suggest(query.q, query.n)
        return json_answer(
            {"suggestions": [{"item_id": item_id, "title": title} for item_id, title in found]}
        )

    @app.get(
        "/v1/search/unanswered",
        **operation("catalogue", 200, UnansweredSearches, scope=Scope.CATALOGUE),
    )
    async def unanswered_searches(
        request: Request, query: Annotated[UnansweredQuery, Query()]
    ) -> Response:
        """What people looked for and nobody has."""
        access.require(authorization_of(request), Scope.CATALOGUE)
        found = await discovery.unanswered(query.n)
        return json_answer({"searches": [{"query": text, "times": n} for text, n in found]})


def _browsing(app: FastAPI, discovery: Discovery, access: Access) -> None:
    @app.get("/v1/items", **operation("catalogue", 200, FoundItems))
    async def browse(query: Annotated[BrowseQuery, Query()]) -> Response:
        """Browse what is visible now, a category of it, or what passes a filter.

        A later page goes on behind the last item of the one before, whatever was added or hidden
        in between.
        """
        return _page(await discovery.find(find_request(query)))

    @app.get("/v1/categories", **operation("catalogue", 200, Categories))
    async def categories(query: Annotated[CategoriesQuery, Query()]) -> Response:
        """The tree of categories, with counts."""
        counts = await discovery.categories(query.under or "")
        return json_answer({"categories": [{"path": path, "items": n} for path, n in counts]})


def _uploading(
    app: FastAPI, store: Callable[[Sequence[NewItem]], Awaitable[object]], access: Access
) -> None:
    # A body of its own kind, and the problems that those with a body have.
    described = operation("catalogue", 200, UploadReport, body=UploadReport, scope=Scope.CATALOGUE)
    described["openapi_extra"]["requestBody"] = _FILE

    @app.post("/v1/items/upload", **described)
    async def upload_items(request: Request) -> Response:
        """Store a file of items, of any length. Lines that cannot be used are reported, the others
        count; of two lines with one id the later.

        UTF-8, with or without byte-order mark. CSV has a header and `,`, `;` or tabs between cells;
        columns: `item_id`, `title`, `description`, `categories` and `tags` (parted by `|`), `price`
        (as people write it: `49.90`, or `49,90` where commas part no cells) and `currency`,
        `picture_url`, `availability`, `publish_at`, `expire_at`, `attributes.<name>`,
        `text_attributes.<name>`. JSON Lines have an item a line.
        """
        access.require(authorization_of(request), Scope.CATALOGUE)
        report = await Upload(store).run(request.stream(), _format_of(request))
        return json_answer(asdict(report))


def _format_of(request: Request) -> Format:
    """Raises: HTTPException 415."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in _FORMATS:
        names = ", ".join(_FORMATS)
        raise HTTPException(415, f"send content-type {names}, not {media_type[:100] or 'none'}")
    if encoding := request.headers.get("content-encoding"):
        raise HTTPException(415, f"send the file as it is, without content-encoding {encoding}")
    return _FORMATS[media_type]


def _found(one: FoundItem) -> dict[str, Any]:
    return {**one.item.model_dump(exclude={"embedding"}), "score": one.score}


def _page(page: FoundPage) -> Response:
    return json_answer(
        {
            "request_id": request_id(),
            "items": [_found(one) for one in page.items],
            "total": page.total,
            "next_cursor": page.next_cursor or None,
            "facets": page.facets,
            "match": page.match or None,
            "corrected_query": page.corrected_query or None,
            "personal": page.personal,
        }
    )
