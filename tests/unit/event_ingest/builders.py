"""Events to test with: right in every respect but those that a test names."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from headrace.contracts.events import EventType
from headrace.runtime.kafka_records import Record
from services.event_ingest.events import Event, GivenEvent
from services.event_ingest.validation import checked

NOW = datetime.now(UTC)


def given(event_id: str = "e1", user_id: str = "ann", **other: Any) -> GivenEvent:
    """A click on `kettle`, accepted now, without a time of its own."""
    event = GivenEvent(
        key=user_id.encode(),
        user_id=user_id,
        event_id=event_id,
        item_id="kettle",
        type=2,
        value=None,
        occurred_at=None,
        accepted_at=NOW,
        backfill=False,
    )
    return replace(event, **other)


def event(event_id: str = "e1", user_id: str = "ann", **other: Any) -> Event:
    return checked(given(event_id, user_id, **other))


def given_retraction(event_id: str, user_id: str = "ann", *, retracts: str) -> GivenEvent:
    return given(event_id, user_id, item_id="", type=int(EventType.RETRACTION), retracts=retracts)


def retraction(event_id: str, user_id: str = "ann", *, retracts: str) -> Event:
    return checked(given_retraction(event_id, user_id, retracts=retracts))


def minutes_ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def record(
    value: bytes | None, key: bytes | None = b"ann", headers: Sequence[tuple[str, bytes]] = ()
) -> Record:
    return Record("events", 0, 0, 0, key, value, headers)
