"""Every call of the client: which method, what to send, how to read the answer.

The blocking and the asyncio client differ in how they carry these out, and in nothing else.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Generic, TypeVar

from google.protobuf.message import Message

from headrace.api.gateway.v1 import gateway_pb2
from headrace.client.messages import (
    from_batch,
    from_item,
    from_recommendations,
    from_similar,
    from_similar_users,
    to_event,
    to_shown,
    with_zone,
)
from headrace.client.models import (
    Event,
    Item,
    PersonList,
    Recommendations,
    SimilarItems,
    SimilarUser,
)
from headrace.client.options import ListOptions, ListRules, option_arguments
from headrace.contracts.segments import SegmentName
from headrace.errors import InvalidInput
from headrace.runtime.item_messages import item_message

_BATCH_PEOPLE = 10_000  # the gateway takes no more at once

R = TypeVar("R", bound=Message)
T = TypeVar("T")


@dataclass(frozen=True)
class Call(Generic[R, T]):
    """A method of GatewayService by name, its request, and how to read its response."""

    method: str
    request: Message
    read: Callable[[R], T]


def record(events: Sequence[Event]) -> Call[gateway_pb2.RecordEventsResponse, list[str]]:
    return Call(
        "RecordEvents",
        gateway_pb2.RecordEventsRequest(events=[to_event(event) for event in events]),
        lambda answer: list(answer.event_ids),
    )


def recommend(
    user_id: str | None,
    *,
    n: int,
    category: str | None,
    session: Sequence[str],
    exclude: Sequence[str],
    after: str | None,
    options: ListOptions,
) -> Call[gateway_pb2.RecommendResponse, Recommendations]:
    request = recommend_request(
        user_id,
        n=n,
        category=category,
        session=session,
        exclude=exclude,
        after=after,
        options=options,
    )
    return Call("Recommend", request, from_recommendations)


def recommend_request(
    user_id: str | None,
    *,
    n: int,
    category: str | None,
    session: Sequence[str],
    exclude: Sequence[str],
    after: str | None,
    options: ListOptions,
) -> gateway_pb2.RecommendRequest:
    """Raises: InvalidInput where no message can carry it."""
    return gateway_pb2.RecommendRequest(
        user_id=user_id or "",
        session=session,
        n=sendable("n", n),
        category=category or "",
        exclude=exclude,
        after=after or "",
        **option_arguments(options),
    )


def batches(
    user_ids: Iterable[str] | None,
    *,
    active_since: datetime | None,
    segment: SegmentName | None,
    n: int,
    category: str | None,
    exclude: Sequence[str],
    rules: ListRules,
) -> Iterator[Call[gateway_pb2.BatchRecommendResponse, list[PersonList]]]:
    """One call for everybody, or for each so many of those named.

    Raises: InvalidInput for a moment without a zone, and for more than one choice of people.
    """
    if user_ids is not None and active_since is not None:
        raise InvalidInput.of("active_since", "goes without user_ids")
    if segment is not None and (user_ids is not None or active_since is not None):
        raise InvalidInput.of("segment", "goes without user_ids and active_since")
    request = gateway_pb2.BatchRecommendRequest(
        n=sendable("n", n),
        category=category or "",
        exclude=exclude,
        segment=segment or "",
        **option_arguments(rules),
    )
    if active_since is not None:
        request.active_since.FromDatetime(with_zone("active_since", active_since))
    if user_ids is None:
        yield Call("BatchRecommend", request, from_batch)
        return
    names = iter(user_ids)
    while some := list(islice(names, _BATCH_PEOPLE)):
        piece = gateway_pb2.BatchRecommendRequest()
        piece.CopyFrom(request)
        piece.user_ids.extend(some)
        yield Call("BatchRecommend", piece, from_batch)


def shown(lists: Sequence[PersonList]) -> Call[gateway_pb2.RecordImpressionsResponse, int]:
    return Call(
        "RecordImpressions",
        gateway_pb2.RecordImpressionsRequest(lists=[to_shown(one) for one in lists]),
        lambda answer: answer.lists,
    )


def similar(
    item_id: str, n: int, category: str | None, user_id: str | None
) -> Call[gateway_pb2.SimilarItemsResponse, SimilarItems]:
    request = gateway_pb2.SimilarItemsRequest(
        item_id=item_id, n=sendable("n", n), category=category or "", user_id=user_id or ""
    )
    return Call("SimilarItems", request, from_similar)


def similar_users(
    user_id: str, n: int
) -> Call[gateway_pb2.SimilarUsersResponse, tuple[SimilarUser, ...]]:
    request = gateway_pb2.SimilarUsersRequest(user_id=user_id, n=sendable("n", n))
    return Call("SimilarUsers", request, from_similar_users)


def item(item_id: str) -> Call[gateway_pb2.GetItemResponse, Item]:
    return Call("GetItem", gateway_pb2.GetItemRequest(item_id=item_id), from_item)


def upsert_items(items: Sequence[Item]) -> Call[gateway_pb2.UpsertItemsResponse, list[int]]:
    request = gateway_pb2.UpsertItemsRequest(items=[item_message(item) for item in items])
    return Call("UpsertItems", request, lambda answer: [one.revision for one in answer.items])


def delete_item(item_id: str) -> Call[gateway_pb2.DeleteItemResponse, int]:
    request = gateway_pb2.DeleteItemRequest(item_id=item_id)
    return Call("DeleteItem", request, lambda answer: answer.revision)


def sendable(name: str, count: int) -> int:
    """What a uint32 can carry; the gateway judges the rest. Raises: InvalidInput."""
    if not 0 <= count < 2**32:
        raise InvalidInput.of(name, f"must be 1 to 200, not {count}")
    return count
