"""Kafka's side of event_ingest: records to events, and log entries to records."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from headrace.api.catalogue.v1.catalogue_pb2 import ItemChange
from headrace.api.events.v1.events_pb2 import Event as EventMessage
from headrace.api.events.v1.events_pb2 import EventType as EventTypeMessage
from headrace.api.events.v1.events_pb2 import Interaction
from headrace.errors import MalformedRecord
from headrace.runtime.context import TRACEPARENT
from headrace.runtime.dead_letters import first_written_ms
from headrace.runtime.kafka_messages import message_in
from headrace.runtime.kafka_publisher import Outgoing, Publisher
from headrace.runtime.kafka_records import Headers, Message, Record, Refusal
from headrace.runtime.timestamps import to_moment, to_timestamp
from headrace.runtime.topics import INTERACTIONS
from services.event_ingest.events import Entry, GivenEvent
from services.event_ingest.service import EventIngest

# Beyond every calendar is beyond the window too: the check that follows names the field.
_NEVER = datetime.max.replace(tzinfo=UTC)


class EntryPublisher:
    """Writes entries of people's logs to topic `interactions`."""

    def __init__(self, publisher: Publisher, topic: str = INTERACTIONS) -> None:
        self._publisher = publisher
        self._topic = topic

    def publish(self, entries: Iterable[tuple[Entry, Headers]]) -> None:
        """Each with the headers of the record that brought it.

        Raises: Unavailable where Kafka takes no more.
        """
        self._publisher.publish(
            [to_outgoing(self._topic, entry, headers) for entry, headers in entries]
        )

    def publish_released(self, entries: Iterable[Entry]) -> None:
        """Entries of events that waited. Raises: as `publish`.

        They are committed before and wait no more, so after a crash at this point, or where Kafka
        does not take them, nobody publishes them again. That is safe: user_embedding compares the
        log with its states and reads what it missed from Postgres.
        """
        self.publish((entry, ()) for entry in entries)


class EventHandler:
    """Handles topic `events`: stores a batch, then publishes what has a number."""

    def __init__(self, service: EventIngest, entries: EntryPublisher) -> None:
        self._service = service
        self._entries = entries

    def __call__(self, messages: Sequence[Message[GivenEvent]]) -> list[Refusal]:
        outcomes = self._service.ingest([message.body for message in messages])
        refusals: list[Refusal] = []
        numbered: dict[tuple[str, int], tuple[Entry, Headers]] = {}
        for message, outcome in zip(messages, outcomes, strict=True):
            if outcome.kind == "refused":
                refusals.append(Refusal(message.record, outcome.reason, outcome.detail))
            elif outcome.entry is not None:
                # Repeated ones as well: the process may have died between commit and publish.
                entry = outcome.entry
                numbered.setdefault((entry.user_id, entry.n), (entry, message.record.headers))
        self._entries.publish(sorted(numbered.values(), key=lambda pair: pair[0].n))
        return refusals


class ItemHandler:
    """Handles topic `items`: releases the events that waited for what arrived."""

    def __init__(self, service: EventIngest, entries: EntryPublisher) -> None:
        self._service = service
        self._entries = entries

    def __call__(self, messages: Sequence[Message[str]]) -> list[Refusal]:
        for entries in self._service.release({message.body for message in messages}):
            self._entries.publish_released(entries)
        return []


def decode_event(record: Record) -> GivenEvent:
    """What a record of `events` says, unchecked.

    Raises: MalformedRecord where its value is no Event.
    """
    message = message_in(record, EventMessage)
    return GivenEvent(
        key=record.key,
        user_id=message.user_id,
        event_id=message.event_id,
        item_id=message.item_id,
        type=message.type,
        value=message.value if message.HasField("value") else None,
        occurred_at=_moment(message.occurred_at) if message.HasField("occurred_at") else None,
        accepted_at=_moment(message.accepted_at) if message.HasField("accepted_at") else None,
        backfill=message.backfill,
        retracts=message.retracts,
        category=message.category,
        written_at=datetime.fromtimestamp(first_written_ms(record) / 1_000, UTC),
    )


def decode_item(record: Record) -> str:
    """The id of the item that a record of `items` is about.

    Raises: MalformedRecord where its value is no ItemChange.
    """
    change = message_in(record, ItemChange)
    if not change.item.item_id:
        raise MalformedRecord("invalid_item", "item.item_id: must be given")
    return change.item.item_id


def to_outgoing(topic: str, entry: Entry, headers: Headers = ()) -> Outgoing:
    """The record that tells of an entry; carries on the trace of the record that brought it."""
    message = Interaction(
        user_id=entry.user_id,
        n=entry.n,
        event_id=entry.event_id,
        item_ordinal=entry.item_ordinal,
        type=EventTypeMessage.ValueType(entry.type),
        occurred_at=to_timestamp(entry.occurred_at),
        value=entry.value,
        accepted_at=None if entry.accepted_at is None else to_timestamp(entry.accepted_at),
        backfill=entry.backfill,
        epoch=entry.epoch,
        category=entry.category,
    )
    return Outgoing(
        topic=topic,
        key=entry.user_id.encode(),
        value=message.SerializeToString(),
        headers=[(name, value) for name, value in headers if name == TRACEPARENT],
    )


def _moment(timestamp: Timestamp) -> datetime:
    try:
        return to_moment(timestamp)
    except ValueError:
        return _NEVER
