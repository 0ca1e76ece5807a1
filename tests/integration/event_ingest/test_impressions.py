"""On a real Postgres: what was shown is counted once, however often its record comes."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from headrace.api.impressions.v1.impressions_pb2 import Impression, ServedList, ServedLists
from headrace.runtime.kafka_records import Message, Record
from headrace.runtime.timestamps import to_timestamp
from headrace.store.database import Database
from services.event_ingest.impressions import KEPT_DAYS, ImpressionCounts, Shown, decode_shown
from tests.integration.event_ingest.world import Postgres

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def record(offset: int, shown: Mapping[datetime, list[str]], partition: int = 0) -> Message[Shown]:
    lists = [
        ServedList(
            served_at=to_timestamp(at), impressions=[Impression(item_id=one) for one in items]
        )
        for at, items in shown.items()
    ]
    return read(offset, ServedLists(lists=lists).SerializeToString(), partition)


def read(offset: int, value: bytes | None, partition: int = 0) -> Message[Shown]:
    raw = Record("impressions", partition, offset, 0, None, value)
    return Message(raw, decode_shown(raw))


@pytest.fixture
def counts(database: str) -> ImpressionCounts:
    return ImpressionCounts(Database(database))


def counted(store: Postgres) -> dict[tuple[str, datetime], int]:
    rows = store.query("SELECT item_id, hour, impressions FROM item_impression_counts")
    return {(item_id, hour): n for item_id, hour, n in rows}


def test_items_are_counted_by_the_hour(counts: ImpressionCounts, store: Postgres) -> None:
    late = NOON + timedelta(minutes=59)
    next_hour = NOON + timedelta(hours=1)
    counts.handle([record(0, {NOON: ["a", "b"], late: ["a"]}), record(1, {next_hour: ["a"]})])
    assert counted(store) == {("a", NOON): 2, ("b", NOON): 1, ("a", next_hour): 1}
    counts.handle([record(2, {late: ["b"]})])
    assert counted(store)[("b", NOON)] == 2


def test_what_comes_again_is_not_counted_again(
    counts: ImpressionCounts, store: Postgres, database: str
) -> None:
    first, second, third = (record(offset, {NOON: ["a"]}) for offset in range(3))
    counts.handle([first, second])
    after_a_crash = ImpressionCounts(Database(database))
    after_a_crash.handle([first, second, third])
    assert counted(store) == {("a", NOON): 3}
    # Offsets are those of a partition.
    counts.handle([record(0, {NOON: ["a"]}, partition=1), third])
    assert counted(store) == {("a", NOON): 4}


def test_what_cannot_be_read_counts_nothing_and_stops_nothing(
    counts: ImpressionCounts, store: Postgres
) -> None:
    counts.handle([read(0, b"\xff\xff"), read(1, None), record(2, {NOON: ["a"]})])
    assert counted(store) == {("a", NOON): 1}


def test_hours_long_ago_are_forgotten(counts: ImpressionCounts, store: Postgres) -> None:
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    old, young = now - timedelta(days=KEPT_DAYS + 1), now - timedelta(days=KEPT_DAYS - 1)
    counts.handle([record(0, {old: ["a"], young: ["b"]})])
    counts.forget()
    assert counted(store) == {("b", young): 1}
