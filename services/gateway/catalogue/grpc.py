"""Browsing, searching and uploading over gRPC: translates, and nothing else."""

from __future__ import annotations  # grpc's classes are generic for the type checker alone

from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.json_format import ParseDict

from headrace.api.catalogue.v1 import search_pb2
from headrace.api.gateway.v1 import catalogue_pb2, catalogue_pb2_grpc
from headrace.contracts.finding import FindRequest
from headrace.contracts.violations import check
from headrace.errors import InvalidInput
from headrace.runtime.filter_messages import filter_fields
from headrace.runtime.finding_messages import sort_name
from headrace.runtime.item_messages import item_message
from services.gateway.access import Access
from services.gateway.accounts.key_grpc import authorization_in
from services.gateway.answers import request_id
from services.gateway.catalogue.discovery import Discovery, FoundPage
from services.gateway.catalogue.models import (
    CategoriesQuery,
    SearchQuery,
    SuggestQuery,
    UnansweredQuery,
)
from services.gateway.catalogue.upload import Store, Upload
from services.gateway.keys import Scope

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from services.gateway.catalogue.lines import Format

    Call = grpc.aio.ServicerContext[Any, Any]

CATALOGUE = catalogue_pb2.DESCRIPTOR.services_by_name["CatalogueService"].full_name

_FORMATS: dict[int, Format] = {
    catalogue_pb2.UPLOAD_FORMAT_CSV: "csv",
    catalogue_pb2.UPLOAD_FORMAT_JSON_LINES: "json_lines",
}


class CatalogueServicer(catalogue_pb2_grpc.CatalogueServiceServicer):
    """CatalogueService. Errors become status codes in the interceptor of `grpc_server`."""

    def __init__(self, discovery: Discovery, store: Store, access: Access) -> None:
        self._discovery = discovery
        self._store = store
        self._access = access

    async def FindItems(  # noqa: N802
        self, request: catalogue_pb2.FindItemsRequest, context: Call
    ) -> catalogue_pb2.FindItemsResponse:
        fields: dict[str, Any] = {
            "query": request.query,
            "cursor": request.cursor,
            "facets": request.facets,
        }
        if request.HasField("filter"):
            fields["filter"] = filter_fields(request.filter)
        if request.sort:
            fields["sort"] = sort_name(request.sort)
        if request.HasField("n"):
            fields["n"] = request.n
        asked = check(FindRequest, fields)
        user_id = request.user_id or None
        if user_id is not None:
            check(
                SearchQuery,
                {
                    "q": request.query,
                    "user_id": user_id,
                    "sort": asked.sort,
                    "cursor": request.cursor or None,
                },
            )
            self._access.require(authorization_in(context), Scope.READ, [user_id])
        return _answer(await self._discovery.find(asked, user_id))

    async def ListCategories(  # noqa: N802
        self, request: catalogue_pb2.ListCategoriesRequest, context: Call
    ) -> catalogue_pb2.ListCategoriesResponse:
        asked = check(CategoriesQuery, {"under": request.under or None})
        counts = await self._discovery.categories(asked.under or "")
        return catalogue_pb2.ListCategoriesResponse(
            categories=[search_pb2.CategoryCount(path=path, items=n) for path, n in counts]
        )

    async def SuggestItems(  # noqa: N802
        self, request: catalogue_pb2.SuggestItemsRequest, context: Call
    ) -> catalogue_pb2.SuggestItemsResponse:
        count = {"n": request.n} if request.HasField("n") else {}
        asked = check(SuggestQuery, {"q": request.query, **count})
        found = await self._discovery.suggest(asked.q, asked.n)
        return catalogue_pb2.SuggestItemsResponse(
            suggestions=[
                search_pb2.Suggestion(item_id=item_id, title=title) for item_id, title in found
            ]
        )

    async def ListUnansweredSearches(  # noqa: N802
        self, request: catalogue_pb2.ListUnansweredSearchesRequest, context: Call
    ) -> catalogue_pb2.ListUnansweredSearchesResponse:
        self._access.require(authorization_in(context), Scope.CATALOGUE)
        asked = check(UnansweredQuery, {"n": request.n} if request.HasField("n") else {})
        return catalogue_pb2.ListUnansweredSearchesResponse(
            searches=[
                search_pb2.UnansweredSearch(query=query, times=times)
                for query, times in await self._discovery.unanswered(asked.n)
            ]
        )

    async def UploadItems(  # noqa: N802
        self, requests: AsyncIterator[catalogue_pb2.UploadItemsRequest], context: Call
    ) -> catalogue_pb2.UploadItemsResponse:
        self._access.require(authorization_in(context), Scope.CATALOGUE)
        first = await anext(requests, None)
        kind = None if first is None else _FORMATS.get(first.format)
        if first is None or kind is None:
            raise InvalidInput.of("format", "the first message must have one of UploadFormat")
        report = await Upload(self._store).run(_chunks(first, requests), kind)
        return catalogue_pb2.UploadItemsResponse(
            stored=report.stored,
            refused=report.refused,
            lines=[
                catalogue_pb2.RefusedLine(line=one.line, column=one.column, reason=one.reason)
                for one in report.lines
            ],
        )


async def _chunks(
    first: catalogue_pb2.UploadItemsRequest,
    others: AsyncIterator[catalogue_pb2.UploadItemsRequest],
) -> AsyncIterator[bytes]:
    yield first.chunk
    async for one in others:
        yield one.chunk


def _answer(page: FoundPage) -> catalogue_pb2.FindItemsResponse:
    answer = catalogue_pb2.FindItemsResponse(
        items=[
            search_pb2.FoundItem(item=item_message(one.item), score=one.score) for one in page.items
        ],
        total=page.total,
        next_cursor=page.next_cursor,
        match=search_pb2.Match.Value(f"MATCH_{(page.match or 'unspecified').upper()}"),
        corrected_query=page.corrected_query,
        request_id=request_id(),
        personal=page.personal,
    )
    if page.facets is not None:
        ParseDict(dict(page.facets), answer.facets)
    return answer
