"""Replays the demo's ratings through Kafka, as if they came from the gateway."""

import time
from collections.abc import Callable, Iterator

import pandas as pd
import psycopg2
from kafka import KafkaProducer
from kafka.errors import KafkaError
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from headrace.api.events.v1 import events_pb2
from headrace.errors import Unavailable
from headrace.local.errors import LocalError
from headrace.runtime.topics import EVENTS

# Ids begin so; with the row of the source they are the same at every attempt.
EVENT_ID_PREFIX = "demo-"
# Far longer than any pause of a system that works.
_STALLED_SECONDS = 120.0


def send_history(
    bootstrap_servers: str, interactions: pd.DataFrame, progressed: Callable[[int], None]
) -> None:
    """Write one event a row (columns as in DemoData) to topic `events`, in order.

    Sent again, each is recognised by its id. progressed: told the number of events handed over.
    Raises: Unavailable unless Kafka has all of them.
    """
    failures: list[BaseException] = []
    try:
        producer = KafkaProducer(
            bootstrap_servers=bootstrap_servers.split(","), acks="all", linger_ms=20
        )
        try:
            for count, event in enumerate(_events(interactions), start=1):
                future = producer.send(
                    EVENTS, key=event.user_id.encode(), value=event.SerializeToString()
                )
                future.add_errback(failures.append)
                if count % 1000 == 0 or count == len(interactions):
                    progressed(count)
            producer.flush()
        finally:
            producer.close()
    except KafkaError as error:
        raise Unavailable(f"Kafka at {bootstrap_servers} did not take events: {error}") from error
    if failures:
        raise Unavailable(f"Kafka at {bootstrap_servers} did not take events: {failures[0]}")


def wait_applied(
    dsn: str, model_version: str, events: int, progressed: Callable[[int], None]
) -> None:
    """Wait until every event sent by `send_history` is part of its person's state.

    progressed: told the number of log entries applied so far.
    Raises: LocalError if nothing moves for two minutes.
    """
    connection = psycopg2.connect(dsn)
    connection.autocommit = True  # each look sees the present
    try:
        with connection.cursor() as cursor:
            moved_at, before = time.monotonic(), -1
            while True:
                stored, behind, applied = _look(cursor, model_version)
                progressed(min(applied, events))
                if stored >= events and behind == 0:
                    return
                if stored + applied != before:
                    moved_at, before = time.monotonic(), stored + applied
                elif time.monotonic() - moved_at > _STALLED_SECONDS:
                    raise LocalError(
                        f"The history stands still: of {events} events {stored} are stored and "
                        f"{applied} applied. See the logs of event_ingest and user_embedding."
                    )
                time.sleep(0.5)
    finally:
        connection.close()


def _look(cursor: Cursor, model_version: str) -> tuple[int, int, int]:
    """Events stored, people whose state is behind their log, log entries applied."""
    cursor.execute(
        "SELECT (SELECT count(*) FROM interactions WHERE backfill AND starts_with(event_id, %s)),"
        " count(*) FILTER (WHERE s.n IS NULL OR s.n < c.n), coalesce(sum(s.n), 0)"
        " FROM user_counters c LEFT JOIN user_states s"
        " ON s.user_id = c.user_id AND s.model_version = %s",
        (EVENT_ID_PREFIX, model_version),
    )
    row = cursor.fetchone()
    assert row is not None
    stored, behind, applied = row
    return int(stored), int(behind), int(applied)


def _events(interactions: pd.DataFrame) -> Iterator[events_pb2.Event]:
    for row, user_id, item_id, rating, occurred_at in zip(
        interactions["row"],
        interactions["user_id"],
        interactions["item_id"],
        interactions["rating"],
        interactions["occurred_at"].dt.to_pydatetime(),
        strict=True,
    ):
        event = events_pb2.Event(
            event_id=f"{EVENT_ID_PREFIX}{row}",
            user_id=user_id,
            item_id=item_id,
            type=events_pb2.EVENT_TYPE_RATING,
            value=float(rating),
            backfill=True,
        )
        event.occurred_at.FromDatetime(occurred_at)
        yield event
