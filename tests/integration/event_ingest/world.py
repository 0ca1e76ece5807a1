"""What tests of event_ingest look at and change from outside: its tables, and its topics."""

from collections.abc import Sequence
from typing import Any

import psycopg2
from prometheus_client import REGISTRY

from headrace.api.catalogue.v1.catalogue_pb2 import Item, ItemChange
from headrace.api.events.v1.events_pb2 import Event, EventType, Interaction
from headrace.runtime.kafka_publisher import Outgoing
from headrace.runtime.kafka_records import Record
from services.event_ingest.events import GivenEvent
from services.event_ingest.service import EventIngest, Outcome

TRACE = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Postgres:
    """A connection beside those of the service."""

    def __init__(self, dsn: str) -> None:
        self._connection = psycopg2.connect(dsn)
        self._connection.autocommit = True

    def query(self, statement: str, *arguments: object) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, arguments)
            return cursor.fetchall() if cursor.description else []

    def add_item(self, item_id: str, deleted: bool = False) -> int:
        """Returns the item's ordinal."""
        rows = self.query(
            "INSERT INTO items (item_id, title, description, categories, tags, attributes,"
            " revision, deleted) VALUES (%s, 'A thing', '', '{}', '{}', '{}', 1, %s)"
            " RETURNING ordinal",
            item_id,
            deleted,
        )
        return int(rows[0][0])

    def log_of(self, user_id: str) -> list[str]:
        """Event ids in order of `n`, which is checked to run 1, 2, 3, ... up to the counter."""
        rows = self.query(
            "SELECT i.n, i.event_id, c.n FROM user_counters AS c"
            " JOIN interactions AS i USING (user_id) WHERE c.user_id = %s ORDER BY i.n",
            user_id,
        )
        assert [n for n, _, _ in rows] == list(range(1, len(rows) + 1))
        assert {reached for _, _, reached in rows} <= {len(rows)}
        return [event_id for _, event_id, _ in rows]

    def count(self, table: str) -> int:
        return int(self.query(f"SELECT count(*) FROM {table}")[0][0])

    def close(self) -> None:
        self._connection.close()


def kinds(outcomes: Sequence[Outcome]) -> list[str]:
    return [outcome.kind for outcome in outcomes]


def ingest(service: EventIngest, *events: GivenEvent) -> list[str]:
    return kinds(service.ingest(events))


def metric(name: str) -> float:
    """Its value in this process."""
    return REGISTRY.get_sample_value(name) or 0.0


def event_record(
    topic: str, event_id: str, user_id: str = "ann", item_id: str = "kettle", **other: Any
) -> Outgoing:
    """A click, accepted now, as the gateway writes it."""
    message = Event(
        event_id=event_id,
        user_id=user_id,
        item_id=item_id,
        **{"type": EventType.EVENT_TYPE_CLICK, **other},
    )
    message.accepted_at.GetCurrentTime()
    return Outgoing(topic, user_id.encode(), message.SerializeToString(), [("traceparent", TRACE)])


def item_record(topic: str, item_id: str, ordinal: int) -> Outgoing:
    message = ItemChange(item=Item(item_id=item_id, title="A thing"), ordinal=ordinal, revision=1)
    return Outgoing(topic, item_id.encode(), message.SerializeToString())


def interactions_in(records: Sequence[Record]) -> list[tuple[str, int, str]]:
    """(user_id, n, event_id) of each."""
    messages = [Interaction.FromString(record.value or b"") for record in records]
    return [(message.user_id, message.n, message.event_id) for message in messages]
