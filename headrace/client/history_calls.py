"""The calls about a person's history."""

from datetime import UTC
from typing import cast

from headrace.api.events.v1 import events_pb2
from headrace.api.history.v1 import history_pb2
from headrace.client.calls import Call, sendable
from headrace.client.models import (
    EventType,
    HistoryEntry,
    HistoryPage,
    Unwanted,
    UnwantedCategory,
    UnwantedItem,
)


def history(
    user_id: str, limit: int, cursor: str | None
) -> Call[history_pb2.ListHistoryResponse, HistoryPage]:
    request = history_pb2.ListHistoryRequest(
        user_id=user_id, limit=sendable("limit", limit), cursor=cursor or ""
    )
    return Call("ListHistory", request, _page)


def remove_entry(user_id: str, event_id: str) -> Call[history_pb2.RemoveEntryResponse, str]:
    request = history_pb2.RemoveEntryRequest(user_id=user_id, event_id=event_id)
    return Call("RemoveEntry", request, lambda answer: answer.event_id)


def unwanted(user_id: str) -> Call[history_pb2.ListUnwantedResponse, Unwanted]:
    request = history_pb2.ListUnwantedRequest(user_id=user_id)
    return Call("ListUnwanted", request, _unwanted)


def want_again(
    user_id: str, item_id: str | None, category: str | None
) -> Call[history_pb2.WantAgainResponse, str]:
    request = history_pb2.WantAgainRequest(
        user_id=user_id, item_id=item_id or "", category=category or ""
    )
    return Call("WantAgain", request, lambda answer: answer.event_id)


def _unwanted(answer: history_pb2.ListUnwantedResponse) -> Unwanted:
    items = tuple(
        UnwantedItem(
            one.item_id,
            one.title,
            tuple(one.categories),
            one.picture_url,
            one.since.ToDatetime(UTC),
        )
        for one in answer.items
    )
    categories = tuple(
        UnwantedCategory(one.category, one.since.ToDatetime(UTC)) for one in answer.categories
    )
    return Unwanted(items, categories)


def _page(answer: history_pb2.ListHistoryResponse) -> HistoryPage:
    return HistoryPage(
        tuple(history_entry(one) for one in answer.entries),
        answer.next_cursor if answer.HasField("next_cursor") else None,
    )


def history_entry(entry: history_pb2.HistoryEntry) -> HistoryEntry:
    name = events_pb2.EventType.Name(entry.type).removeprefix("EVENT_TYPE_").lower()
    return HistoryEntry(
        event_id=entry.event_id,
        item_id=entry.item_id,
        title=entry.title,
        categories=tuple(entry.categories),
        picture_url=entry.picture_url,
        type=cast(EventType, name),
        value=entry.value if entry.HasField("value") else None,
        occurred_at=entry.occurred_at.ToDatetime(UTC),
    )
