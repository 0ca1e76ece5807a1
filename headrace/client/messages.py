"""Between the client's dataclasses and the messages on the wire."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, cast, get_args

from headrace.api.catalogue.v1 import catalogue_pb2
from headrace.api.events.v1 import events_pb2
from headrace.api.gateway.v1 import gateway_pb2
from headrace.api.ranker.v1 import list_options_pb2, ranker_pb2
from headrace.api.user_embedding.v1 import user_embedding_pb2
from headrace.client.models import (
    Cause,
    Event,
    EventStatus,
    EventType,
    Explanation,
    Item,
    ListedItem,
    PersonList,
    Price,
    Recommendations,
    SimilarItems,
    SimilarUser,
    Source,
)
from headrace.contracts.list_kinds import ListKind
from headrace.errors import InvalidInput
from headrace.runtime.item_messages import item_fields


def _numbers(names: Any, enum: Any, prefix: str) -> dict[str, Any]:
    """What the wire calls the literals that callers may say."""
    return {name: enum.Value(prefix + name.upper()) for name in get_args(names)}


_TYPES = _numbers(EventType, events_pb2.EventType, "EVENT_TYPE_")
_KINDS = _numbers(ListKind, list_options_pb2.ListKind, "LIST_KIND_")
_SOURCES = _numbers(Source, ranker_pb2.Source, "SOURCE_")


def to_event(event: Event) -> gateway_pb2.NewEvent:
    """Raises: InvalidInput for a type that does not exist and a time without a zone."""
    number = _TYPES.get(event.type)
    if not number:
        raise InvalidInput.of("type", f"must be one of {', '.join(_TYPES)}, not {event.type!r}")
    message = gateway_pb2.NewEvent(
        event_id=event.event_id,
        user_id=event.user_id,
        item_id=event.item_id or "",
        type=number,
        value=event.value,
        category=event.category or "",
    )
    if event.occurred_at is not None:
        message.occurred_at.FromDatetime(with_zone("occurred_at", event.occurred_at))
    return message


def from_item(answer: gateway_pb2.GetItemResponse) -> Item:
    return item_of(answer.item, answer.revision)


def item_of(message: catalogue_pb2.Item, revision: int = 0) -> Item:
    """revision: 0 where it was not told."""
    fields = item_fields(message)
    if "price" in fields:
        fields["price"] = Price(**fields["price"])
    return Item(**fields, revision=revision)


def from_recommendations(answer: gateway_pb2.RecommendResponse) -> Recommendations:
    status = name_of(user_embedding_pb2.EventStatus, "EVENT_STATUS_", answer.after_status)
    return Recommendations(
        request_id=answer.request_id,
        model_version=answer.model_version,
        as_of=answer.as_of.ToDatetime(UTC),
        degraded=answer.degraded if answer.HasField("degraded") else None,
        items=listed(answer.items),
        after=None if answer.after_status == 0 else cast("EventStatus", status),
        next_cursor=answer.next_cursor if answer.HasField("next_cursor") else None,
        personal=answer.personal,
        not_personal_because=(
            answer.not_personal_because if answer.HasField("not_personal_because") else None
        ),
    )


def from_batch(answer: gateway_pb2.BatchRecommendResponse) -> list[PersonList]:
    return [
        PersonList(
            user_id=one.user_id,
            model_version=answer.model_version,
            as_of=one.as_of.ToDatetime(UTC),
            personal=one.n_applied > 0,
            items=listed(one.items),
            request_id=answer.request_id,
            kind=cast("ListKind", name_of(list_options_pb2.ListKind, "LIST_KIND_", answer.kind)),
        )
        for one in answer.lists
    ]


def to_shown(one: PersonList) -> gateway_pb2.ShownList:
    """Raises: InvalidInput for a source that does not exist."""
    items = []
    for item in one.items:
        number = _SOURCES.get(item.source)
        if number is None:
            raise InvalidInput.of("source", f"must be one of {', '.join(_SOURCES)}")
        items.append(
            gateway_pb2.ShownItem(
                item_id=item.item_id,
                source=number,
                score=item.score,
                propensity=item.propensity,
            )
        )
    return gateway_pb2.ShownList(
        request_id=one.request_id,
        user_id=one.user_id,
        model_version=one.model_version,
        personal=one.personal,
        kind=_KINDS.get(one.kind, list_options_pb2.LIST_KIND_UNSPECIFIED),
        items=items,
    )


def from_similar(answer: gateway_pb2.SimilarItemsResponse) -> SimilarItems:
    return SimilarItems(answer.request_id, answer.model_version, listed(answer.items))


def from_similar_users(answer: gateway_pb2.SimilarUsersResponse) -> tuple[SimilarUser, ...]:
    return tuple(SimilarUser(one.user_id, one.score) for one in answer.users)


def _explanation(item: ranker_pb2.RankedItem) -> Explanation:
    told = item.explanation
    causes = tuple(Cause(one.item_id, one.title, one.log_odds) for one in told.because)
    return Explanation(told.anybody, told.history, told.boosts, causes)


def listed(items: Iterable[ranker_pb2.RankedItem]) -> tuple[ListedItem, ...]:
    return tuple(
        ListedItem(
            item_id=item.item_id,
            score=item.score,
            title=item.title,
            categories=tuple(item.categories),
            source=cast("Source", name_of(ranker_pb2.Source, "SOURCE_", item.source)),
            propensity=item.propensity if item.HasField("propensity") else None,
            explanation=_explanation(item) if item.HasField("explanation") else None,
            picture_url=item.picture_url,
        )
        for item in items
    )


def name_of(enum: Any, prefix: str, number: int) -> str:
    """The name of an enum's value in lower case; that of a newer server's value is its number."""
    if number not in enum.values():
        return str(number)
    return str(enum.Name(number)).removeprefix(prefix).lower()


def with_zone(field: str, moment: datetime) -> datetime:
    """Raises: InvalidInput where the moment has no zone."""
    if moment.tzinfo is None:
        raise InvalidInput.of(field, f"needs a time zone: {moment}")
    return moment
