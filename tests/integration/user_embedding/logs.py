"""People's logs as event_ingest leaves them: rows in Postgres and records in Kafka."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import psycopg2
from psycopg2.extras import execute_values

from headrace.api.events.v1.events_pb2 import EventType as EventTypeMessage
from headrace.api.events.v1.events_pb2 import Interaction as InteractionMessage
from headrace.bundle import Bundle
from headrace.contracts.events import EventType
from headrace.index.encoding import Vector
from headrace.runtime.kafka_publisher import Outgoing
from headrace.runtime.topics import INTERACTIONS
from services.user_embedding.interactions import Interaction

TRACE = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def random_log(user_id: str, length: int, items: range) -> list[Interaction]:
    """Entries of every type, unevenly spaced, some out of time order."""
    random = np.random.default_rng(list(user_id.encode()))
    start = datetime.now(UTC) - timedelta(days=30)
    times = np.cumsum(random.exponential(3_600, size=length) - 300)
    return [
        Interaction(
            user_id=user_id,
            epoch=0,
            n=n + 1,
            event_id=f"{user_id}-{n + 1}",
            item_ordinal=int(random.choice(items)),
            type=int(random.integers(1, 8)),
            occurred_at=start + timedelta(seconds=float(times[n])),
            accepted_at=datetime.now(UTC),
            backfill=False,
            value=float(random.integers(1, 6)),
        )
        for n in range(length)
    ]


def replayed(bundle: Bundle, vectors: Vector, log: Sequence[Interaction]) -> Vector:
    """The vector after a log, [D], one step an entry and never interrupted.

    vectors: [N, D], row = ordinal.
    """
    state, vector = bundle.user.initial_state(1), np.zeros((1, bundle.width), np.float32)
    before = log[0].occurred_at
    for entry in log:
        if entry.type != EventType.DISLIKE:
            gap_s = max(0.0, (entry.occurred_at - before).total_seconds())
            state, vector = bundle.user.step(
                state,
                vectors[[entry.item_ordinal]],
                np.array([entry.type]),
                np.array([gap_s]),
                ratings=np.array([entry.rating]),
            )
        before = entry.occurred_at
    end: Vector = vector[0]
    return end


def records(log: Iterable[Interaction]) -> list[Outgoing]:
    """The log on topic `interactions`."""
    return [
        Outgoing(
            INTERACTIONS,
            entry.user_id.encode(),
            _message(entry).SerializeToString(),
            [("traceparent", TRACE)],
        )
        for entry in log
    ]


def _message(entry: Interaction) -> InteractionMessage:
    message = InteractionMessage(
        user_id=entry.user_id,
        epoch=entry.epoch,
        n=entry.n,
        event_id=entry.event_id,
        item_ordinal=entry.item_ordinal,
        type=EventTypeMessage.ValueType(entry.type),
        backfill=entry.backfill,
    )
    message.occurred_at.FromDatetime(entry.occurred_at)
    if entry.value is not None:
        message.value = entry.value
    if entry.accepted_at is not None:
        message.accepted_at.FromDatetime(entry.accepted_at)
    return message


class Tables:
    """The tables of event_ingest."""

    def __init__(self, dsn: str) -> None:
        self._connection = psycopg2.connect(dsn)
        self._connection.autocommit = True

    def query(self, statement: str, *arguments: object) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, arguments)
            return cursor.fetchall() if cursor.description else []

    def write(self, log: Sequence[Interaction]) -> None:
        """Appends entries, of one or more people, in order."""
        with self._connection.cursor() as cursor:
            execute_values(
                cursor,
                "INSERT INTO interactions (user_id, n, event_id, item_ordinal, type, value,"
                " occurred_at, accepted_at, backfill, body_hash) VALUES %s",
                [
                    (e.user_id, e.n, e.event_id, e.item_ordinal, e.type, e.value,
                     e.occurred_at, e.accepted_at, e.backfill, b"")
                    for e in log
                ],
            )  # fmt: skip
            reached = {entry.user_id: (entry.epoch, entry.n) for entry in log}
            execute_values(
                cursor,
                "INSERT INTO user_counters (user_id, epoch, n) VALUES %s ON CONFLICT (user_id)"
                " DO UPDATE SET epoch = excluded.epoch, n = excluded.n, updated_at = now()",
                [(user, *position) for user, position in reached.items()],
            )

    def applied(self, users: Sequence[str]) -> int:
        """Entries of these people that are in stored states."""
        rows = self.query(
            "SELECT coalesce(sum(n), 0) FROM user_states WHERE user_id = ANY(%s)", list(users)
        )
        return int(rows[0][0])

    def close(self) -> None:
        self._connection.close()
