"""The event log: topic `events`, keyed by person."""

import logging
import threading
from collections.abc import Sequence
from datetime import UTC, datetime

from headrace.api.events.v1 import events_pb2
from headrace.contracts.events import retraction_id
from headrace.errors import Unavailable
from headrace.runtime.kafka_client import Kafka
from headrace.runtime.kafka_publisher import Outgoing, Publisher
from headrace.runtime.timestamps import to_timestamp
from headrace.runtime.topics import EVENTS
from services.gateway.accounts.visit_store import VisitEvent
from services.gateway.accounts.visits import merged_event_id
from services.gateway.events.service import AcceptedEvent

log = logging.getLogger(__name__)

_RETRY_S = 0.5


class KafkaEventLog:
    """Connects in a thread from `start` on, so that lists are served while Kafka is away."""

    def __init__(self, kafka: Kafka, deadline_s: float, topic: str = EVENTS) -> None:
        self._kafka = kafka
        self._deadline_s = deadline_s
        self._topic = topic
        self._publisher: Publisher | None = None
        self._stop = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._connect, name="connect-kafka", daemon=True).start()

    def connected(self) -> bool:
        return self._publisher is not None

    async def append(self, events: Sequence[AcceptedEvent]) -> None:
        """Returns once Kafka has all of them.

        Raises: Unavailable within the deadline where that is not certain.
        """
        await self._write([(one.event.user_id, to_record(one)) for one in events])

    async def append_visits(self, events: Sequence[VisitEvent]) -> None:
        """As `append`, for events of visits that became people's."""
        await self._write([(one.user_id, visit_record(one)) for one in events])

    async def append_retractions(self, user_id: str, event_ids: Sequence[str]) -> None:
        """As `append`, for events that their person takes back."""
        now = datetime.now(UTC)
        await self._write([(user_id, retraction_record(user_id, one, now)) for one in event_ids])

    async def _write(self, records: Sequence[tuple[str, bytes]]) -> None:
        if self._publisher is None:
            raise Unavailable("Kafka is away")
        await self._publisher.publish_and_wait(
            [Outgoing(self._topic, user_id.encode(), value) for user_id, value in records],
            self._deadline_s,
        )

    def close(self) -> None:
        """Waits for what is under way."""
        self._stop.set()
        if self._publisher is not None:
            self._publisher.close(timeout_s=self._deadline_s)

    def _connect(self) -> None:
        while not self._stop.is_set():
            try:
                self._publisher = Publisher(self._kafka, delivery_timeout_s=self._deadline_s)
            except Unavailable as error:
                log.warning("events cannot be accepted yet: %s", error)
                self._stop.wait(_RETRY_S)
            else:
                return


def to_record(accepted: AcceptedEvent) -> bytes:
    """The value of the record. `occurred_at` is there only where the sender gave it."""
    event = accepted.event
    return events_pb2.Event(
        event_id=accepted.event_id,
        user_id=event.user_id,
        item_id=event.item_id or "",
        category=event.category or "",
        type=events_pb2.EventType.ValueType(event.event_type),
        value=event.value,
        accepted_at=to_timestamp(accepted.accepted_at),
        occurred_at=None if event.occurred_at is None else to_timestamp(event.occurred_at),
    ).SerializeToString()


def visit_record(event: VisitEvent) -> bytes:
    """The value of the record. It is history: the visit's own record counted for what is live."""
    return events_pb2.Event(
        event_id=merged_event_id(event),
        user_id=event.user_id,
        item_id=event.item_id,
        category=event.category,
        type=events_pb2.EventType.ValueType(event.type),
        value=event.value,
        occurred_at=to_timestamp(event.occurred_at),
        backfill=True,
    ).SerializeToString()


def retraction_record(user_id: str, event_id: str, accepted_at: datetime) -> bytes:
    """The value of the record that takes an event back."""
    return events_pb2.Event(
        event_id=retraction_id(user_id, event_id),
        user_id=user_id,
        type=events_pb2.EVENT_TYPE_RETRACTION,
        retracts=event_id,
        accepted_at=to_timestamp(accepted_at),
    ).SerializeToString()
