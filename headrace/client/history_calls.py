"""The calls about a person's history."""

from datetime import UTC
from typing import cast

from headrace.api.events.v1 import events_pb2
from headrace.api.history.v1 import history_pb2
from headrace.client.calls import Call, sendable
from headrace.client.models import EventType, HistoryEntry, HistoryPage


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
