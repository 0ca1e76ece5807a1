"""On a real Postgres: what came of what was shown, each figure worked out by hand."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from headrace.api.impressions.v1.impressions_pb2 import Impression, ServedList, ServedLists
from headrace.api.ranker.v1.list_options_pb2 import LIST_KIND_SEARCH
from headrace.api.ranker.v1.ranker_pb2 import SOURCE_RETRIEVAL, SOURCE_SEARCH, SOURCE_TRENDING
from headrace.runtime.kafka_records import Message, Record
from headrace.runtime.timestamps import to_timestamp
from headrace.store.database import Database
from services.event_ingest.click_through import ClickThrough
from services.event_ingest.impressions import ImpressionCounts, decode_shown
from services.event_ingest.service import EventIngest
from tests.integration.event_ingest.world import Postgres, ingest
from tests.unit.event_ingest.builders import given, minutes_ago

COUNTS = (
    "SELECT position, source, sum(shown)::int, sum(clicked)::int, sum(bought)::int"
    " FROM click_through GROUP BY 1, 2 ORDER BY 1, 2"
)
VIEW, CLICK, PURCHASE, DISLIKE = 1, 2, 4, 6


class Shown:
    """Topic `impressions`, as the handler gets it."""

    def __init__(self, database: Database) -> None:
        self.click_through = ClickThrough(database)
        self._counts = ImpressionCounts(database)
        self._offset = 0

    def record(self, *lists: ServedList) -> Record:
        self._offset += 1
        value = ServedLists(lists=lists).SerializeToString()
        return Record("impressions", 0, self._offset, 0, b"", value)

    def handle(self, *records: Record) -> None:
        assert not self._counts.handle([Message(one, decode_shown(one)) for one in records])


@pytest.fixture
def shown(database: str) -> Iterator[Shown]:
    connections = Database(database, size=2)
    yield Shown(connections)
    connections.close()


def served(minutes: float, *item_ids: str, user: str = "ann", model: str = "m1") -> ServedList:
    """A list so long ago; its first item is from retrieval, the others are trending."""
    sources = [SOURCE_RETRIEVAL, *[SOURCE_TRENDING] * len(item_ids)][: len(item_ids)]
    return ServedList(
        user_id=user,
        served_at=to_timestamp(minutes_ago(minutes)),
        model_version=model,
        impressions=[
            Impression(item_id=item_id, source=source)
            for item_id, source in zip(item_ids, sources, strict=True)
        ],
    )


def did(event_id: str, item_id: str, minutes: float, kind: int = VIEW, **other: Any) -> Any:
    return given(event_id, item_id=item_id, type=kind, accepted_at=minutes_ago(minutes), **other)


@pytest.fixture
def things(store: Postgres) -> None:
    for item_id in ("pan", "mug", "cup"):
        store.add_item(item_id)


@pytest.mark.usefixtures("things")
def test_an_item_is_credited_to_the_last_list_that_showed_it_before(
    service: EventIngest, store: Postgres, shown: Shown
) -> None:
    first, second = served(60, "pan", "mug", "cup"), served(50, "mug", "pan")
    shown.handle(shown.record(first, second))
    ingest(
        service,
        did("e1", "pan", 55),  # after the first list
        did("e2", "pan", 54, CLICK),  # an item counts once a list
        did("e3", "mug", 45, PURCHASE),  # after both: the second has it
    )
    shown.click_through.count()
    assert store.query(COUNTS) == [
        (1, SOURCE_RETRIEVAL, 2, 2, 1),
        (2, SOURCE_TRENDING, 2, 0, 0),
        (3, SOURCE_TRENDING, 1, 0, 0),
    ]
    assert store.count("served_lists") == 0


@pytest.mark.usefixtures("things")
def test_what_was_searched_for_takes_the_credit_of_an_earlier_list(
    service: EventIngest, store: Postgres, shown: Shown
) -> None:
    found = served(50, model="")
    found.kind = LIST_KIND_SEARCH
    found.impressions.add(item_id="pan", source=SOURCE_SEARCH)
    shown.handle(shown.record(served(60, "pan"), found))
    ingest(service, did("e1", "pan", 45))
    shown.click_through.count()
    assert store.query(COUNTS) == [
        (1, SOURCE_RETRIEVAL, 1, 0, 0),
        (1, SOURCE_SEARCH, 1, 1, 0),
    ]


@pytest.mark.usefixtures("things")
def test_what_is_no_interest_in_what_was_shown_does_not_count(
    service: EventIngest, store: Postgres, shown: Shown
) -> None:
    shown.handle(shown.record(served(60, "pan", "mug"), served(60, "pan", user="")))
    ingest(
        service,
        did("e1", "pan", 61),  # before
        did("e2", "pan", 29.9),  # more than half an hour after
        did("e3", "pan", 55, DISLIKE),
        did("e4", "pan", 55, backfill=True),
        did("e5", "cup", 55),  # not in the list
        did("e6", "mug", 55),
        given("e7", "bob", item_id="pan", type=VIEW, accepted_at=minutes_ago(55)),
    )
    store.query("UPDATE interactions SET retracted_by = 9 WHERE event_id = 'e6'")
    shown.click_through.count()
    assert store.query(COUNTS) == [(1, SOURCE_RETRIEVAL, 1, 0, 0), (2, SOURCE_TRENDING, 1, 0, 0)]


@pytest.mark.usefixtures("things")
def test_a_list_is_counted_in_its_hour_once_it_is_known_what_came_of_it(
    service: EventIngest, store: Postgres, shown: Shown
) -> None:
    shown.handle(shown.record(served(50, "pan", model="m2"), served(10, "pan")))
    ingest(service, did("e1", "pan", 45))
    shown.click_through.count()
    assert store.query("SELECT hour, model_version, shown, clicked FROM click_through") == [
        (minutes_ago(50).replace(minute=0, second=0, microsecond=0), "m2", 1, 1)
    ]
    assert store.count("served_lists") == 1
    ((behind,),) = store.query("SELECT now() - as_of FROM click_through_progress")
    assert timedelta(minutes=35) <= behind < timedelta(minutes=36)


@pytest.mark.usefixtures("things")
def test_a_record_that_comes_again_counts_once_before_and_after_it_was_counted(
    store: Postgres, shown: Shown
) -> None:
    record = shown.record(served(60, "pan"), served(60, "mug"))
    later = shown.record(served(60, "cup", user=""))
    shown.handle(record)
    shown.handle(record, later)
    assert store.count("served_lists") == 2
    shown.click_through.count()
    shown.handle(record, shown.record(served(50, "cup")))
    shown.click_through.count()
    assert store.query(COUNTS) == [(1, SOURCE_RETRIEVAL, 3, 0, 0)]


def test_more_lists_than_a_transaction_takes_are_counted_all_the_same(
    store: Postgres, shown: Shown
) -> None:
    store.query(
        "INSERT INTO served_lists SELECT 0, n, 0, 'p' || n, now() - interval '1 hour', 'm1',"
        " '{a,b}', '{1,2}' FROM generate_series(1, 4500) AS n"
    )
    shown.click_through.count()
    counted = "SELECT position, sum(shown)::int FROM click_through GROUP BY 1 ORDER BY 1"
    assert store.query(counted) == [(1, 4_500), (2, 4_500)]


def test_counts_are_forgotten_after_400_days_and_hold_nobody(store: Postgres, shown: Shown) -> None:
    store.query(
        "INSERT INTO click_through SELECT now() - age * interval '1 day', 1, 1, 'm1', 1, 0, 0"
        " FROM unnest(ARRAY[399, 401]) AS age"
    )
    shown.click_through.count()
    assert store.count("click_through") == 1
    columns = "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
    assert {name for (name,) in store.query(columns, "click_through")} == {
        "hour", "source", "position", "model_version", "shown", "clicked", "bought",
    }  # fmt: skip
