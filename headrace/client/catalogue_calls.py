"""Every call of the clients of the catalogue, as `calls` has those of the others."""

from __future__ import annotations  # an enum's type exists for the type checker alone

from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any, cast

from headrace.api.catalogue.v1 import search_pb2
from headrace.api.gateway.v1 import catalogue_pb2 as api
from headrace.client.calls import Call
from headrace.client.catalogue_models import (
    Facets,
    FoundItem,
    FoundItems,
    Match,
    NumberFacet,
    PriceRange,
    RefusedLine,
    Sort,
    Suggestion,
    UploadFormat,
    UploadReport,
)
from headrace.client.messages import item_of
from headrace.errors import InvalidInput
from headrace.runtime.filter_messages import filter_message
from headrace.runtime.finding_messages import sort_number

_CHUNK = 64 * 1024
_FORMATS = {
    "csv": api.UPLOAD_FORMAT_CSV,
    "json_lines": api.UPLOAD_FORMAT_JSON_LINES,
}


def find(
    query: str,
    *,
    filter: Mapping[str, Any] | None,  # noqa: A002
    sort: Sort | None,
    n: int,
    cursor: str | None,
    facets: bool,
    user_id: str | None,
) -> Call[api.FindItemsResponse, FoundItems]:
    """Raises: InvalidInput for what a message cannot carry."""
    number = sort_number(sort)
    if sort is not None and not number:
        raise InvalidInput.of("sort", f"is unknown: {sort!r}")
    if not 0 <= n < 2**32:
        raise InvalidInput.of("n", f"must be 1 to 100, not {n}")
    request = api.FindItemsRequest(
        query=query,
        filter=None if filter is None else filter_message(filter),
        sort=number,
        n=n,
        cursor=cursor or "",
        facets=facets,
        user_id=user_id or "",
    )
    return Call("FindItems", request, _found)


def categories(under: str | None) -> Call[api.ListCategoriesResponse, dict[str, int]]:
    return Call(
        "ListCategories",
        api.ListCategoriesRequest(under=under or ""),
        lambda answer: {one.path: one.items for one in answer.categories},
    )


def suggest(query: str, n: int) -> Call[api.SuggestItemsResponse, list[Suggestion]]:
    return Call(
        "SuggestItems",
        api.SuggestItemsRequest(query=query, n=n),
        lambda answer: [Suggestion(one.item_id, one.title) for one in answer.suggestions],
    )


def unanswered(n: int) -> Call[api.ListUnansweredSearchesResponse, dict[str, int]]:
    return Call(
        "ListUnansweredSearches",
        api.ListUnansweredSearchesRequest(n=n),
        lambda answer: {one.query: one.times for one in answer.searches},
    )


def pieces(file: IO[bytes], format: UploadFormat) -> Iterator[api.UploadItemsRequest]:  # noqa: A002
    """A file as the messages of an upload. Raises: InvalidInput for an unknown format."""
    if format not in _FORMATS:
        raise InvalidInput.of("format", f"must be one of {', '.join(_FORMATS)}, not {format!r}")
    yield api.UploadItemsRequest(format=_FORMATS[format])
    while chunk := file.read(_CHUNK):
        yield api.UploadItemsRequest(chunk=chunk)


def report_of(answer: api.UploadItemsResponse) -> UploadReport:
    lines = (RefusedLine(one.line, one.column, one.reason) for one in answer.lines)
    return UploadReport(answer.stored, answer.refused, tuple(lines))


def _found(answer: api.FindItemsResponse) -> FoundItems:
    match = search_pb2.Match.Name(answer.match).removeprefix("MATCH_").lower()
    return FoundItems(
        request_id=answer.request_id,
        items=tuple(FoundItem(item_of(one.item), one.score) for one in answer.items),
        total=answer.total,
        next_cursor=answer.next_cursor or None,
        facets=_facets(answer.facets) if answer.HasField("facets") else None,
        match=cast("Match", match) if answer.match else None,
        corrected_query=answer.corrected_query or None,
        personal=answer.personal,
    )


def _facets(facets: search_pb2.Facets) -> Facets:
    return Facets(
        counted=facets.counted,
        categories=_counts(facets.categories),
        tags=_counts(facets.tags),
        availability=_counts(facets.availability),
        texts={one.name: _counts(one.values) for one in facets.texts},
        numbers={one.name: NumberFacet(one.count, one.min, one.max) for one in facets.numbers},
        prices={
            one.currency: tuple(PriceRange(r.min, r.max, r.count) for r in one.ranges)
            for one in facets.prices
        },
    )


def _counts(counts: Iterable[search_pb2.FacetCount]) -> dict[str, int]:
    return {one.value: one.count for one in counts}
