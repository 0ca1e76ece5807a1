"""What was found as protobuf messages, and what is asked for from them."""

from collections.abc import Iterable
from typing import Any

from headrace.api.catalogue.v1 import search_pb2
from headrace.api.item_embedding.v1 import item_embedding_pb2
from headrace.runtime.filter_messages import filter_fields
from headrace.runtime.finding_messages import sort_name
from headrace.runtime.item_messages import item_message
from services.item_embedding.found import Facets, Found, Match
from services.item_embedding.search import Answer

_MATCHES: dict[Match, search_pb2.Match.ValueType] = {
    "": search_pb2.MATCH_UNSPECIFIED,
    "all_words": search_pb2.MATCH_ALL_WORDS,
    "corrected": search_pb2.MATCH_CORRECTED,
    "some_words": search_pb2.MATCH_SOME_WORDS,
    "none": search_pb2.MATCH_NONE,
}


def asked_fields(request: item_embedding_pb2.FindItemsRequest) -> dict[str, Any]:
    """The fields of a `FindRequest`, unchecked."""
    fields: dict[str, Any] = {
        "query": request.query,
        "n": request.n,
        "cursor": request.cursor,
        "facets": request.facets,
    }
    if request.HasField("filter"):
        fields["filter"] = filter_fields(request.filter)
    if request.sort:
        fields["sort"] = sort_name(request.sort)
    return fields


def answer_message(
    answer: Answer, model_version: str, width: int
) -> item_embedding_pb2.FindItemsResponse:
    message = item_embedding_pb2.FindItemsResponse(
        items=[_found(found) for found in answer.page.items],
        total=answer.total,
        next_cursor=answer.next_cursor,
        match=_MATCHES[answer.match],
        corrected_query=answer.corrected_query,
    )
    if answer.facets is not None:
        message.facets.CopyFrom(_facets(answer.facets))
    if answer.query_vector:
        message.query_vector = answer.query_vector
        message.width = width
        message.model_version = model_version
    return message


def _found(found: Found) -> search_pb2.FoundItem:
    """Without the embedding, which nobody looks at and which would be most of the answer."""
    message = search_pb2.FoundItem(item=item_message(found.item.content), score=found.score)
    message.item.ClearField("embedding")
    return message


def _facets(facets: Facets) -> search_pb2.Facets:
    return search_pb2.Facets(
        counted=facets.counted,
        categories=_counts(facets.categories),
        tags=_counts(facets.tags),
        availability=_counts(facets.availability),
        texts=[
            search_pb2.TextFacet(name=name, values=_counts(values))
            for name, values in facets.texts.items()
        ],
        numbers=[
            search_pb2.NumberFacet(name=one.name, count=one.count, min=one.least, max=one.greatest)
            for one in facets.numbers
        ],
        prices=[
            search_pb2.PriceFacet(
                currency=one.currency,
                ranges=[
                    search_pb2.PriceRangeCount(min=least, max=greatest, count=count)
                    for least, greatest, count in one.ranges
                ],
            )
            for one in facets.prices
        ],
    )


def _counts(counts: Iterable[tuple[str, int]]) -> list[search_pb2.FacetCount]:
    return [search_pb2.FacetCount(value=value, count=count) for value, count in counts]
